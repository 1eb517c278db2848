import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { partialName, sweepPartials } from "./partials.cjs";
import { writesTo } from "../frame/room";
import { MIB } from "../../stack/mib";

const PIECE = MIB;

/**
 * Reads a file once, in pieces, in order. While one piece is used the next is read, into the same two buffers: a stream makes a
 * new one for each, which takes a fifth longer.
 *
 * @param use is given each piece, and where in the file it begins; it may not keep the piece
 */
async function eachPiece(
  path: string,
  use: (piece: Buffer, at: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const file = await open(path);
  try {
    let [piece, free] = [Buffer.allocUnsafe(PIECE), Buffer.allocUnsafe(PIECE)];
    let reading = file.read(piece, 0, PIECE, null);
    for (let at = 0; ;) {
      const { bytesRead } = await reading;
      signal?.throwIfAborted();
      if (bytesRead === 0) return;
      reading = file.read(free, 0, PIECE, null);
      use(piece.subarray(0, bytesRead), at);
      at += bytesRead;
      [piece, free] = [free, piece];
    }
  } finally {
    await file.close();
  }
}

/** Reads a file once and returns its SHA-256 as lower-case hex. */
export async function sha256File(path: string, signal?: AbortSignal): Promise<string> {
  return (await sha256WithParts(path, [], signal)).whole;
}

/** A run of a file's bytes that has a digest of its own. */
export interface DigestedPart {
  /** First byte, counted from the file's own first, and the one behind the last. */
  start: number;
  end: number;
  /** What comes before and behind it in its digest, and is not in the file. */
  before?: Buffer;
  after?: Buffer;
}

/**
 * Reads a file once, for its digest and for those of parts of it.
 *
 * @returns SHA-256s as lower-case hex, those of the parts in their order
 */
export async function sha256WithParts(
  path: string,
  parts: DigestedPart[],
  signal?: AbortSignal,
): Promise<{ whole: string; parts: string[] }> {
  const whole = createHash("sha256");
  const hashes = parts.map((part) => ({ ...part, hash: createHash("sha256").update(part.before ?? "") }));
  const use = (piece: Buffer, at: number) => {
    whole.update(piece);
    for (const { start, end, hash } of hashes)
      if (start < at + piece.length && at < end)
        hash.update(piece.subarray(Math.max(0, start - at), end - at));
  };
  await eachPiece(path, use, signal);
  return {
    whole: whole.digest("hex"),
    parts: hashes.map(({ hash, after = "" }) => hash.update(after).digest("hex")),
  };
}

/** What this process writes to under temporary names: what is there still when it ends was never finished. */
const unfinished = new Set<string>();

function clearUnfinished(): void {
  for (const path of unfinished) rmSync(path, { recursive: true, force: true });
}

/** A name beside `target` to write to before the rename, so that both are on one file system. */
export async function partialBeside(target: string): Promise<string> {
  const folder = dirname(target);
  sweepPartials(folder);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  writesTo(folder);
  const partial = partialName(target);
  if (unfinished.size === 0) process.once("exit", clearUnfinished);
  unfinished.add(partial);
  return partial;
}

/** Writes a whole file under a temporary name and renames it into place. */
export async function writeWhole(path: string, content: string, mode = 0o644): Promise<void> {
  const partial = await partialBeside(path);
  await writeFile(partial, content, { mode });
  await rename(partial, path);
}

/** What is remembered of a finished artifact, so that a change on disk is seen without reading it whole. */
export interface Stamp {
  bytes: number;
  mtimeMs: number;
  inode: number;
  sha256: string;
  /** What it was made from: a digest over all inputs of its step. */
  key: string;
  /** What else its step tells of it. */
  facts?: object;
}

function stampPath(artifact: string): string {
  return join(dirname(artifact), `.${basename(artifact)}.stamp`);
}

function readStamp(artifact: string): Stamp | undefined {
  try {
    return JSON.parse(readFileSync(stampPath(artifact), "utf8")) as Stamp;
  } catch {
    return undefined;
  }
}

/** The stamp of an artifact that is on disk just as its step left it; undefined when it is missing or was touched. */
export function intact(artifact: string): Stamp | undefined {
  const stamp = readStamp(artifact);
  const now = statSync(artifact, { throwIfNoEntry: false });
  const same =
    stamp && now && now.size === stamp.bytes && now.mtimeMs === stamp.mtimeMs && now.ino === stamp.inode;
  return same ? stamp : undefined;
}

/**
 * As {@link intact}, but a touched file whose content is still the recorded one is stamped anew and counts. What killed
 * runs left beside it goes, since a step that finds its work done will not write there again.
 */
export async function verified(artifact: string, key: string): Promise<Stamp | undefined> {
  sweepPartials(dirname(artifact));
  const stamp = readStamp(artifact);
  const now = statSync(artifact, { throwIfNoEntry: false });
  if (!stamp || !now || stamp.key !== key || now.size !== stamp.bytes) return undefined;
  if (intact(artifact)) return stamp;
  return (await sha256File(artifact)) === stamp.sha256 ? writeStamp(artifact, stamp) : undefined;
}

async function writeStamp(
  artifact: string,
  { sha256, key, facts }: Pick<Stamp, "sha256" | "key" | "facts">,
): Promise<Stamp> {
  const now = statSync(artifact);
  const stamp = { bytes: now.size, mtimeMs: now.mtimeMs, inode: now.ino, sha256, key, facts };
  await writeWhole(stampPath(artifact), JSON.stringify(stamp));
  return stamp;
}

/**
 * Renames a finished `partial` to its final name and stamps it. The stamp comes last: without it the file counts as absent.
 *
 * @param given its SHA-256, where that is known already, and what else is known of it
 */
export async function publish(
  partial: string,
  artifact: string,
  key: string,
  given: { sha256?: string; facts?: object } = {},
): Promise<Stamp> {
  const sha256 = given.sha256 ?? (await sha256File(partial));
  await rm(stampPath(artifact), { force: true });
  await rename(partial, artifact);
  return writeStamp(artifact, { sha256, key, facts: given.facts });
}

/** What a step tells of the file that it made. */
export function manifestOf(path: string, { sha256, bytes, facts }: Stamp) {
  return { path, sha256, bytes, ...facts };
}

/** Files of a folder that have a stamp, with the SHA-256 of what was made, whatever became of it since. */
export function stampedIn(folder: string): [name: string, sha256: string][] {
  return readdirSync(folder).flatMap((name) => {
    const stamp = readStamp(join(folder, name));
    return stamp ? [[name, stamp.sha256] as [string, string]] : [];
  });
}

/** Makes an artifact count as absent, so that the next `up` makes it anew; the file stays for who wants to look at it. */
export async function disown(artifact: string): Promise<void> {
  await rm(stampPath(artifact), { force: true });
}

/** Removes an artifact with its stamp. */
export async function discard(artifact: string): Promise<void> {
  await disown(artifact);
  await rm(artifact, { force: true });
}
