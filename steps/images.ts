import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Pack } from "tar-stream";
import type * as z from "zod";
import * as contract from "./contracts/images";
import { squashfsOf } from "./disk/squashfs";
import { fillStore } from "./registry/fill";
import { foldersOf, storeOf, type StoredImage, type StoreFile } from "./registry/layout";
import { ImageStore } from "./registry/store";
import type { StepContext } from "./frame/context";
import { reportProgress } from "./frame/progress";
import { needRoom } from "./frame/room";
import { runStep } from "./frame/main";
import { StepError } from "./frame/step-error";
import { sweepCache } from "./store/partials.cjs";
import { manifestOf, partialBeside, publish, verified } from "./store/files";

type Request = z.output<typeof contract.Input>;

const fixed = { mtime: new Date(0), uid: 0, gid: 0, mode: 0o644 };

/** Adds a blob, and checks it by its digest on the way: what is served is what was fetched. */
async function addBlob(pack: Pack, store: ImageStore, { path, blob }: { path: string; blob: string }) {
  const size = store.sizeOf(blob) ?? 0;
  const entry = pack.entry({ ...fixed, name: path, size });
  const hash = createHash("sha256");
  const hashed = new PassThrough({ highWaterMark: 1 << 20 }).on("data", (piece: Buffer) =>
    hash.update(piece),
  );
  await pipeline(store.read(blob), hashed, entry);
  if (`sha256:${hash.digest("hex")}` === blob) return size;
  store.drop(blob);
  throw new StepError(
    `packing the images`,
    `the blob ${blob} in ${store.folder} is damaged`,
    "It was removed: run the same again, which fetches it anew",
  );
}

/** Writes the layer: a registry's store of these images alone, and the list of them. */
async function writeLayer(context: StepContext, store: ImageStore, { images }: Request, path: string) {
  const stored = images.map((image): StoredImage => ({ ...image, blobs: store.blobsOf(image.digest) ?? [] }));
  const list = `${JSON.stringify({ images }, undefined, 1)}\n`;
  const files: StoreFile[] = [...storeOf(stored), { path: "images.json", text: list }];
  const total = files.reduce((sum, file) => sum + ("blob" in file ? (store.sizeOf(file.blob) ?? 0) : 0), 0);
  await needRoom(dirname(path), total);
  let done = 0;
  const stopTelling = reportProgress(context, "of the images layer written", () => done, total);
  const fill = async (pack: Pack) => {
    for (const name of foldersOf(files.map((file) => file.path)))
      pack.entry({ ...fixed, name, type: "directory", mode: 0o755 });
    for (const file of files) {
      if ("text" in file) pack.entry({ ...fixed, name: file.path }, file.text);
      else done += await addBlob(pack, store, file);
    }
  };
  await squashfsOf(context, fill, path).finally(stopTelling);
}

void runStep("images", contract, async (request, context) => {
  sweepCache(dirname(dirname(request.path)));
  const { images } = request;
  const made = await verified(request.path, request.key);
  if (made) return { ...manifestOf(request.path, made), images };

  const store = new ImageStore(request.store);
  await fillStore(context, store, images);
  const layer = await partialBeside(request.path);
  await writeLayer(context, store, request, layer);
  const stamp = await publish(layer, request.path, request.key, { facts: { images } });
  context.log(`${Math.round(stamp.bytes / (1 << 20))} MiB: ${images.length} images`);
  return { ...manifestOf(request.path, stamp), images };
});
