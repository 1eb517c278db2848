import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeWhole } from "./files";

/** Puts a file's line into the SHA256SUMS beside it, in the form of sha256sum(1), or takes it out. */
export async function listChecksum(file: string, sha256: string | undefined): Promise<void> {
  const list = join(dirname(file), "SHA256SUMS");
  const before = existsSync(list) ? readFileSync(list, "utf8").split("\n") : [];
  const lines = before.filter((line) => line !== "" && line.slice(66) !== basename(file));
  if (sha256) lines.push(`${sha256}  ${basename(file)}`);
  if (lines.length > 0) await writeWhole(list, `${lines.sort().join("\n")}\n`);
  else await rm(list, { force: true });
}
