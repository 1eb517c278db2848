import { mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { writesTo } from "../steps/frame/room";
import { makeScratch } from "../steps/frame/scratch.cjs";
import type { StepContext } from "../steps/frame/context";
import { run } from "../steps/programs/process";

/**
 * A folder for what is looked at, beside the images: it may hold secrets and be large. Gone when the program ends; what a
 * killed one left goes now.
 *
 * @param program the npm script that looks
 */
export function makeWorkFolder(program: string): string {
  mkdirSync("artifacts", { recursive: true });
  const folder = makeScratch(program, "artifacts");
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  writesTo(folder);
  return folder;
}

/**
 * Unpacks an image.
 *
 * @param folder makes the folder that it is unpacked to
 * @returns what the file holds: itself when it is not compressed
 */
export async function rawOf(context: StepContext, file: string, folder: () => string): Promise<string> {
  const ending = /\.(gz|zst)$/.exec(file);
  if (!ending) return file;
  const raw = join(folder(), basename(file, ending[0]));
  // Of both formats, and zeros become holes again.
  await run(context, "zstd", ["-d", "-q", "--sparse", "-o", raw, file]);
  return raw;
}
