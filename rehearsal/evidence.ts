import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { partialBeside, publish } from "../steps/store/files";
import type { StepContext } from "../steps/frame/context";
import type { RehearsalRecord } from "./record";
import { rehearse, type Rehearsal } from "./course";
import { timelinePage } from "./timeline/page";
import { timelineText } from "./timeline/text";

/** File of a folder with evidence that people open first. */
export const PAGE = "timeline.html";
const RECORD = "rehearsal.json";

/**
 * Rehearses an image and keeps what was seen: captures of both links, serial logs, pictures, the record, the timeline as
 * text and as a page. An earlier folder of that name goes only when the new one is whole; none is left by a rehearsal
 * that was stopped.
 *
 * @param key what the record of a rehearsal that passed is stamped with, so that it counts as made
 * @returns the record, which lies beside the rest
 */
export async function rehearseInto(
  context: StepContext,
  rehearsal: Rehearsal,
  image: { sha256: string; bytes: number },
  folder: string,
  key?: string,
): Promise<RehearsalRecord> {
  const partial = await partialBeside(folder);
  await mkdir(partial);
  const seen = await rehearse(context, rehearsal, partial);
  const record = { ...seen, image: { path: rehearsal.subject.image, ...image } };
  await writeFile(join(partial, "timeline.txt"), timelineText(record));
  await writeFile(join(partial, PAGE), timelinePage(record));
  const path = join(partial, RECORD);
  const written = `${path}.new`;
  await writeFile(written, JSON.stringify(record, null, 2));
  if (key && record.passed) await publish(written, path, key);
  else await rename(written, path);
  if (existsSync(folder)) await rm(folder, { recursive: true });
  await rename(partial, folder);
  return record;
}
