import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, basename } from "node:path";
import { hashElement } from "folder-hash";
import { writeWhole } from "../steps/store/files";

const noteOf = (file: string) => join(dirname(file), `.${basename(file)}.made-from`);

/** One digest over what a demo input is made from: folders of this project, and texts. */
export async function ingredients(folders: string[], ...texts: string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of folders) hash.update((await hashElement(folder)).hash);
  return hash.update(JSON.stringify(texts)).digest("hex");
}

/** Whether a demo input is there and made from just these ingredients. */
export function isUpToDate(file: string, from: string): boolean {
  return existsSync(file) && existsSync(noteOf(file)) && readFileSync(noteOf(file), "utf8") === from;
}

/** Notes what a demo input was made from; the last thing its maker does. */
export async function noteMade(file: string, from: string): Promise<void> {
  await writeWhole(noteOf(file), from);
}
