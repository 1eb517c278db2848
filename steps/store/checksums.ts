import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { stampedIn, writeWhole } from "./files";

const LIST = "SHA256SUMS";

/** What `SHA256SUMS` says of a folder's artifacts, in the form of sha256sum(1). */
function linesFor(folder: string): string {
  const lines = stampedIn(folder).map(([name, sha256]) => `${sha256}  ${name}\n`);
  return lines.sort().join("");
}

/** Writes the list of a folder's artifacts beside them; it is not there while there are none. */
export async function listChecksums(folder: string): Promise<void> {
  const list = join(folder, LIST);
  const listed = () => (existsSync(list) ? readFileSync(list, "utf8") : "");
  // Two stacks may share the folder: whoever wrote last finds what the other made meanwhile.
  for (let lines = linesFor(folder); lines !== listed(); lines = linesFor(folder))
    await (lines === "" ? rm(list, { force: true }) : writeWhole(list, lines));
}
