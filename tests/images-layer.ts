import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ServedImage } from "../rehearsal/view";

const TYPE = "application/vnd.oci.image";
const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const hexOf = (digest: string) => digest.slice("sha256:".length);

/** The files of an images layer, by their paths, and what its images.json lists. */
export interface ImagesLayer {
  files: Map<string, Buffer>;
  images: ServedImage[];
}

/** Puts an image of one layer into a registry's files (distribution 2.8, registry/storage/paths.go). */
function addImage(files: ImagesLayer["files"], reference: string): ServedImage {
  const [, named = "", tag = ""] = /^(.*):([^:/]*)$/.exec(reference) ?? [];
  const repository = named.replace(/^([^/:]*):/, "$1_");
  const top = `docker/registry/v2/repositories/${repository}`;
  let bytes = 0;
  const put = (content: Buffer) => {
    const digest = digestOf(content);
    files.set(`docker/registry/v2/blobs/sha256/${hexOf(digest).slice(0, 2)}/${hexOf(digest)}/data`, content);
    bytes += content.length;
    return { digest, size: content.length };
  };
  const link = (path: string, { digest }: { digest: string }) =>
    files.set(`${top}/${path}/link`, Buffer.from(digest));
  const blobs = [JSON.stringify({ architecture: "amd64", os: "linux" }), reference.repeat(10_000)].map(
    (text) => put(Buffer.from(text)),
  );
  const [config, layer] = blobs.map((blob, index) => ({
    mediaType: index === 0 ? `${TYPE}.config.v1+json` : `${TYPE}.layer.v1.tar`,
    ...blob,
  }));
  const text = { schemaVersion: 2, mediaType: `${TYPE}.manifest.v1+json`, config, layers: [layer] };
  const manifest = put(Buffer.from(JSON.stringify(text)));
  for (const blob of blobs) link(`_layers/sha256/${hexOf(blob.digest)}`, blob);
  link(`_manifests/revisions/sha256/${hexOf(manifest.digest)}`, manifest);
  link(`_manifests/tags/${tag}/current`, manifest);
  return { reference, repository, tag, digest: manifest.digest, bytes };
}

/**
 * A layer of tiny images, made by hand.
 *
 * @param listed references with a tag, which images.json lists
 * @param leftOut those of them whose files are not there
 */
export function imagesLayer(listed: string[], leftOut: string[] = []): ImagesLayer {
  const files = new Map<string, Buffer>();
  const images = listed.map((reference) =>
    addImage(leftOut.includes(reference) ? new Map<string, Buffer>() : files, reference),
  );
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
