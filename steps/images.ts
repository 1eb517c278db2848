import { statSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type * as z from "zod";
import * as contract from "./contracts/images";
import { squashfsOfFolder } from "./disk/squashfs";
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

/** Lays the layer's files out in a folder, as docker-registry would; blobs are the store's own, by another name. */
async function layOut(store: ImageStore, files: readonly StoreFile[], folder: string): Promise<void> {
  for (const name of foldersOf(files.map(({ path }) => path))) await mkdir(join(folder, name));
  for (const file of files) {
    const path = join(folder, file.path);
    await ("text" in file ? writeFile(path, file.text) : store.linkTo(file.blob, path));
  }
}

/** Checks blobs by their digests: what is served is what was fetched. */
async function checkBlobs({ signal }: StepContext, store: ImageStore, files: readonly StoreFile[]) {
  for (const file of files) {
    if ("text" in file || (await store.isSound(file.blob, signal))) continue;
    store.drop(file.blob);
    throw new StepError(
      `packing the images`,
      `the blob ${file.blob} in ${store.folder} is damaged`,
      "It was removed: run the same again, which fetches it anew",
    );
  }
}

/** Writes the layer: a registry's store of these images alone, and the list of them. */
async function writeLayer(context: StepContext, store: ImageStore, { images }: Request, path: string) {
  const stored = images.map((image): StoredImage => ({ ...image, blobs: store.blobsOf(image.digest) ?? [] }));
  const list = `${JSON.stringify({ images }, undefined, 1)}\n`;
  const files: StoreFile[] = [...storeOf(stored), { path: "images.json", text: list }];
  const total = files.reduce((sum, file) => sum + ("blob" in file ? (store.sizeOf(file.blob) ?? 0) : 0), 0);
  await needRoom(dirname(path), total);
  const folder = await partialBeside(join(dirname(path), "files"));
  await mkdir(folder);
  const written = () => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const stopTelling = reportProgress(context, "of the images layer written", written, total);
  try {
    await layOut(store, files, folder);
    // A blob that is damaged says more than what its packing says.
    const packing = squashfsOfFolder(context, folder, path).catch((fault: unknown) => ({ fault }));
    const checking = checkBlobs(context, store, files).catch((fault: unknown) => ({ fault }));
    const [packed, checked] = await Promise.all([packing, checking]);
    for (const failed of [checked, packed]) if (failed) throw failed.fault;
  } finally {
    stopTelling();
    await rm(folder, { recursive: true, force: true });
  }
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
