import { existsSync, readFileSync } from "node:fs";
import { intact, writeWhole } from "./files";

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

/** Whether what this input asks for is on disk already. */
export function isMade(input: object): boolean {
  const { path, key } = input as { path?: string; key?: string };
  return path !== undefined && key !== undefined && intact(path)?.key === key;
}

/** @param seconds unset when the step found its work done */
export async function remember(path: string, input: object, seconds?: number): Promise<void> {
  const before = existsSync(path) ? lastRun(path) : undefined;
  await writeWhole(path, JSON.stringify({ input, seconds: seconds ?? before?.seconds }));
}
