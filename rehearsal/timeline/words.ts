import type { Hardware, Reached, RehearsalRecord } from "../record";
import { MIB } from "../../stack/mib";

/** Milliseconds as seconds, as in `28.4`. */
export const seconds = (ms: number) => (ms / 1000).toFixed(1);

/** Text that was seen somewhere, without what would move a cursor, break a line or turn the writing round. */
export const oneLine = (text: string) =>
  text
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();

/** Bytes as KiB or MiB. */
export const sizeWords = (bytes: number) =>
  bytes < MIB ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / MIB).toFixed(1)} MiB`;

/** How wide a text is: in a terminal, signs. */
export type Measure = (text: string) => number;
const signs: Measure = (text) => [...text].length;

/** A text cut to a width, with an ellipsis where something is missing. */
export function cut(text: string, limit: number, width: Measure = signs): string {
  if (width(text) <= limit) return text;
  const kept = [...text];
  while (kept.length > 0 && width(`${kept.join("")}…`) > limit) kept.pop();
  return `${kept.join("").trimEnd()}…`;
}

/** As {@link cut}, but the end is kept, as for paths. */
export function cutFront(text: string, limit: number): string {
  const all = [...text];
  return all.length <= limit ? text : `…${all.slice(1 - limit).join("")}`;
}

/** A text in lines of at most a width; a single word that is wider stays whole. */
export function wrap(text: string, limit: number, width: Measure = signs): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && width(`${last} ${word}`) <= limit) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A virtual machine's hardware, as in `UEFI, sata disk, e1000`. */
function hardwareWords({ firmware, disk, nic, swapped }: Hardware): string {
  const words = [firmware === "bios" ? "BIOS" : "UEFI", disk && `${disk} disk`, nic];
  return [...words, swapped && "NICs the other way round"].filter(Boolean).join(", ");
}

const size = (bytes: number) => `${Math.round(bytes / MIB)} MiB`;

/** What was rehearsed, on what and when: label and value, one line each. */
export function factsOf(record: RehearsalRecord): [label: string, value: string][] {
  const { image, minipc, hardware, talosVersion, accelerator, startedAt, tookMs } = record;
  const facts: [string, string | undefined][] = [
    ["image", image.path],
    ["SHA-256", `${image.sha256.slice(0, 12)}…, ${size(image.bytes)}`],
    ["lease", `${minipc.mac} -> ${minipc.ip}`],
    ["Talos", talosVersion],
    ["appliance", hardwareWords(hardware.appliance)],
    ["mini-PC", hardwareWords(hardware.minipc)],
    ["twin", hardware.twin && hardwareWords(hardware.twin)],
    ["accelerator", accelerator],
    ["started", startedAt.replace(/T(.*?)(\.\d+)?Z$/, " $1 UTC")],
    ["took", `${seconds(tookMs)} s`],
  ];
  return facts.flatMap(([label, value]) => (value ? [[label, oneLine(value)]] : []));
}

/** A milestone, and how long after the one before it was reached. */
type Step = Reached & { tookMs: number };

/** The milestones that held, in the order of time. */
export function stepsOf({ reached }: RehearsalRecord): Step[] {
  const inOrder = [...reached].sort((one, other) => one.atMs - other.atMs);
  return inOrder.map((milestone, index) => ({
    ...milestone,
    title: oneLine(milestone.title),
    evidence: oneLine(milestone.evidence),
    tookMs: milestone.atMs - (inOrder[index - 1]?.atMs ?? 0),
  }));
}

/** All in one sentence without its full stop. */
export function summaryOf(record: RehearsalRecord): string {
  const { proofs, diagnosis } = record;
  const steps = stepsOf(record);
  const count = `${steps.length} ${steps.length === 1 ? "milestone" : "milestones"} reached`;
  const last = steps.at(-1);
  const when = last ? `, the last after ${seconds(last.atMs)} s` : "";
  const held = proofs.filter((proof) => proof.held).length;
  const proved =
    proofs.length > 0 ? `${held} of ${proofs.length} proofs held` : "the proofs were not asked for";
  return diagnosis?.kind === "milestone"
    ? `${count}${when}; the next one broke`
    : `${count}${when}; ${proved}`;
}
