import { Readable } from "node:stream";
import type { Pack } from "tar-stream";
import { run } from "./process";
import type { StepContext } from "./step";

/**
 * Writes a squashfs straight from a tar stream: no root, no file with its content beside it, and the same tar
 * gives the same bytes (times are 0, nothing is compressed that a later compressor would see less in).
 */
export async function squashfs(context: StepContext, tar: Pack, path: string): Promise<void> {
  const flags = [
    "-quiet",
    "-no-progress",
    "-no-xattrs",
    "-noI",
    "-noD",
    "-noF",
    "-noX",
    "-noId",
    "-mkfs-time",
    "0",
    "-all-time",
    "0",
  ];
  await run(context, "sqfstar", [...flags, "-processors", "2", path], { input: Readable.from(tar) });
}
