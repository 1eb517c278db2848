import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { hashElement } from "folder-hash";
import stringify from "safe-stable-stringify";
import { TOP } from "../stack/top";

/** SHA-256 of a text, lower-case hex. */
export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** A short name for a value by its content: equal values, whatever the order of their keys, have equal names. */
export function keyOf(value: object): string {
  return digest(stringify(value)).slice(0, 20);
}

/** SHA-256 of a small file, or `absent`; in that case the step that reads it says what is wrong. */
export function fileDigest(path: string): string {
  const file = join(TOP, path);
  return existsSync(file) ? createHash("sha256").update(readFileSync(file)).digest("hex") : "absent";
}

/** One digest over a folder's files, their names and contents. */
export async function folderDigest(path: string): Promise<string> {
  const { hash } = await hashElement(join(TOP, path), { algo: "sha256", encoding: "hex" });
  return hash;
}
