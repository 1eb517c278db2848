import { Readable } from "node:stream";
import tar, { type Pack } from "tar-stream";
import { run } from "../programs/process";
import type { StepContext } from "../frame/context";

/** The same files give the same bytes: times are 0, and nothing is compressed that a later compressor would see less in. */
const FLAGS = [
  ...["-quiet", "-no-progress", "-no-xattrs"],
  ...["-noI", "-noD", "-noF", "-noX", "-noId"],
  ...["-mkfs-time", "0", "-all-time", "0"],
  ...["-processors", "2"],
];

/**
 * Writes a squashfs straight from a tar stream: no root, no file with its content beside it.
 */
export async function squashfs(context: StepContext, tar: Pack, path: string): Promise<void> {
  const input = Readable.from(tar);
  // A program whose input breaks off would wait for the rest of it.
  const broken = new AbortController();
  input.once("error", (fault) => broken.abort(fault));
  const signal = AbortSignal.any([context.signal, broken.signal]);
  await run({ signal }, "sqfstar", [...FLAGS, path], { input });
}

/**
 * Writes a squashfs while its tar stream is filled.
 *
 * @param fill adds the entries; finalizing is done for it
 * @returns what `fill` returns
 * @throws what failed first: filling, or writing
 */
export async function squashfsOf<T>(
  context: StepContext,
  fill: (pack: Pack) => Promise<T>,
  path: string,
): Promise<T> {
  const pack = tar.pack();
  let fault: { cause: unknown } | undefined;
  // One that fails ends the other, whose words would hide the cause.
  const failed = (cause: unknown) => {
    fault ??= { cause };
    pack.destroy();
  };
  const writing = squashfs(context, pack, path).catch(failed);
  const filling = fill(pack).then(
    (filled) => {
      pack.finalize();
      return filled;
    },
    // A reader that went away says why itself.
    (cause: NodeJS.ErrnoException) =>
      cause.code === "ERR_STREAM_PREMATURE_CLOSE" ? pack.destroy() : failed(cause),
  );
  const [filled] = await Promise.all([filling, writing]);
  if (fault) throw fault.cause;
  return filled as T;
}

/** Writes a squashfs of what a folder has, which belongs to root in it. */
export async function squashfsOfFolder(context: StepContext, folder: string, path: string): Promise<void> {
  await run(context, "mksquashfs", [folder, path, ...FLAGS, "-all-root"]);
}
