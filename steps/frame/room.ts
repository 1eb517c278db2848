import { existsSync } from "node:fs";
import { mkdir, statfs } from "node:fs/promises";
import { failureOf } from "../programs/process";
import { StepError } from "./step-error";
import { MIB } from "../../stack/mib";

const FULL = /\bENOSPC\b|\bEDQUOT\b|No space left on device|Disk quota exceeded/;
/** Less than what a file system gives away at once. */
const NOTHING_BYTES = 64 << 10;

const written = new Set<string>();

/** Remembers a folder that this process writes to: where to look when a disk is full. */
export function writesTo(folder: string): void {
  written.add(folder);
}

interface Room {
  folder: string;
  free: number;
  total: number;
}

async function roomIn(folder: string): Promise<Room> {
  const { bavail, bsize, blocks } = await statfs(folder);
  return { folder, free: bavail * bsize, total: blocks * bsize };
}

const inMib = (bytes: number) => `${Math.floor(bytes / MIB)} MiB`;

/** What a full disk did, in words that say which one; any other fault as it is. */
export async function explainFull(fault: Error): Promise<Error> {
  const folders = [...written].filter((folder) => existsSync(folder));
  const rooms = await Promise.all(folders.map(roomIn));
  const [least] = rooms.sort((one, other) => one.free - other.free);
  const isFull =
    FULL.test(`${fault.message} ${failureOf(fault).stderr}`) || (least?.free ?? Infinity) < NOTHING_BYTES;
  if (!isFull || !least) return fault;
  return new StepError(
    `writing to ${least.folder}`,
    `its disk is full, ${inMib(least.free)} of ${inMib(least.total)} are free`,
    "Make room there and run the same again; what was made before is kept",
    { cause: fault },
  );
}

/**
 * Makes sure that a folder has room before work that would hang without it.
 *
 * @param bytes that the work may need at once
 * @throws StepError when there are fewer
 */
export async function needRoom(folder: string, bytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { free } = await roomIn(folder);
  if (free >= bytes) return;
  throw new StepError(
    `writing to ${folder}`,
    `it needs about ${inMib(bytes)}, and its disk has ${inMib(free)}`,
    "Make room there and run the same again",
  );
}
