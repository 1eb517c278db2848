import { existsSync, readFileSync, statSync } from "node:fs";
import { intact, writeWhole } from "../store/files";

/** What a step was given when it last ended well, and how long making it took: the next preview tells by it. */
export interface LastRun {
  input: object;
  /** Seconds that the last run took which made something; unset while none did. */
  seconds?: number;
}

/** @returns undefined when there is none, or none that can be read */
export function lastRun(path: string): LastRun | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as LastRun;
  } catch {
    return undefined;
  }
}

/** What a step was asked to make; one that makes no file has no key. */
function asked(input: object): { path: string; key: string } | undefined {
  const { path, key } = input as { path?: string; key?: string };
  return path === undefined || key === undefined ? undefined : { path, key };
}

/** Whether what this input asks for is on disk already. */
export function isMade(input: object): boolean {
  const wanted = asked(input);
  return wanted !== undefined && intact(wanted.path)?.key === wanted.key;
}

/** What tells the file that a step makes from the one that was there before; undefined while there is none. */
export function generation(input: object): number | undefined {
  const wanted = asked(input);
  return wanted && statSync(wanted.path, { throwIfNoEntry: false })?.ino;
}

/** @param seconds unset when the step found its work done */
export async function remember(path: string, input: object, seconds?: number): Promise<void> {
  const before = existsSync(path) ? lastRun(path) : undefined;
  await writeWhole(path, JSON.stringify({ input, seconds: seconds ?? before?.seconds }));
}
