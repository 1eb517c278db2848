import { dirname } from "node:path";
import * as z from "zod";
import { writeWhole } from "./files";
import { readJson } from "./json-file";
import { whileLocked } from "../programs/process";
import type { StepContext } from "../frame/context";

/** Files with the digests of what the checkout names, by its URL: the checkout's own, and what was first used here. */
export interface Records {
  lockFile: string;
  recordFile: string;
}

const Digests = z.record(z.string(), z.string());
const digestsIn = (file: string) => readJson(file, Digests) ?? {};

/** The digest that a file has of the first of these URLs that is in it, with that URL. */
export function digestIn(file: string, urls: readonly string[]) {
  const digests = digestsIn(file);
  for (const url of urls) {
    const digest = digests[url];
    if (digest) return { file, url, digest };
  }
  return undefined;
}

/** The digest that is known of a URL, and the file that has it. */
export const recordedDigest = ({ lockFile, recordFile }: Records, url: string) =>
  digestIn(lockFile, [url]) ?? digestIn(recordFile, [url]);

/** Records digests by their URLs, where another one or none is known. */
export async function recordDigests(
  context: StepContext,
  records: Records,
  digests: Record<string, string>,
): Promise<void> {
  const fresh = Object.entries(digests).filter(
    ([url, digest]) => recordedDigest(records, url)?.digest !== digest,
  );
  if (fresh.length === 0) return;
  const { recordFile } = records;
  await whileLocked(context, dirname(recordFile), async () => {
    const all = { ...digestsIn(recordFile), ...Object.fromEntries(fresh) };
    const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
    await writeWhole(recordFile, `${JSON.stringify(sorted, undefined, 2)}\n`);
  });
}
