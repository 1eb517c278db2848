import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ServedImage } from "../steps/contracts/image";
import { storeOf, type StoredImage } from "../steps/registry/layout";
import { digestOf } from "../steps/registry/manifest";

const TYPE = "application/vnd.oci.image";

/** The files of an images layer, by their paths, and what its images.json lists. */
export interface ImagesLayer {
  files: Map<string, Buffer>;
  images: ServedImage[];
}

/** An image of one layer, and its blobs by their digests, its manifest among them. */
function makeImage(reference: string) {
  const [, named = "", tag = ""] = /^(.*):([^:/]*)$/.exec(reference) ?? [];
  const content = new Map<string, Buffer>();
  const put = (text: string) => {
    const bytes = Buffer.from(text);
    content.set(digestOf(bytes), bytes);
    return { digest: digestOf(bytes), size: bytes.length };
  };
  const config = put(JSON.stringify({ architecture: "amd64", os: "linux" }));
  const layer = put(reference.repeat(10_000));
  const text = {
    ...{ schemaVersion: 2, mediaType: `${TYPE}.manifest.v1+json` },
    config: { mediaType: `${TYPE}.config.v1+json`, ...config },
    layers: [{ mediaType: `${TYPE}.layer.v1.tar`, ...layer }],
  };
  const { digest } = put(JSON.stringify(text));
  const bytes = [...content.values()].reduce((sum, { length }) => sum + length, 0);
  const repository = named.replace(/^([^/:]*):/, "$1_");
  const image: ServedImage = { reference, repository, tag, digest, bytes };
  const stored: StoredImage = { ...image, blobs: [config, layer] };
  return { image, stored, content };
}

/**
 * A layer of tiny images, made by hand.
 *
 * @param listed references with a tag, which images.json lists
 * @param leftOut those of them whose files are not there
 */
export function imagesLayer(listed: string[], leftOut: string[] = []): ImagesLayer {
  const made = listed.map(makeImage);
  const content = new Map(made.flatMap((each) => [...each.content]));
  const there = made.filter(({ image }) => !leftOut.includes(image.reference));
  const files = new Map(
    storeOf(there.map(({ stored }) => stored)).map((file) => [
      file.path,
      "text" in file ? Buffer.from(file.text) : content.get(file.blob)!,
    ]),
  );
  const images = made.map(({ image }) => image);
  files.set("images.json", Buffer.from(JSON.stringify({ images })));
  return { files, images };
}

/** Writes a layer's files below a folder. */
export function writeImagesLayer({ files }: ImagesLayer, folder: string): void {
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}
