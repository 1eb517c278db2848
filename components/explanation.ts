import { isDeepStrictEqual } from "node:util";
import type { LastRun } from "../steps/frame/last-run";
import { withoutUrlSecrets } from "../stack/source-url";

/** A step as a preview knows it. */
export interface Part {
  /** Name of its resource. */
  name: string;
  /** What it would be given; unset while that depends on a step that runs first. */
  input?: object;
  /** Whether Pulumi would run it. */
  runs: boolean;
  /** Whether its artifact is there, just as it was made: then running the step is no work. */
  isMade: boolean;
  /** Why its artifact has to be made again though nothing else changed. */
  missing?: string;
  last?: LastRun;
}

/** What a preview says of a part; `follows` when a part before it runs, so that its own inputs are not known yet. */
export interface Verdict {
  name: string;
  what: "reused" | "runs" | "follows";
  why: string[];
  /** Seconds that it took when it last ran here. */
  seconds?: number;
}

/** Names for inputs whose own names would say little to a user. */
const SPOKEN: Record<string, string> = {
  code: "the step's program",
  templateDigest: "what is in packer/",
  encryptedSha256: "what is in the machineConfig file",
  talosConfigEncryptedSha256: "what is in the talosConfig file",
  localState: "the file that the URL names",
};
const LONGEST = 64;

function shown(value: unknown): string {
  if (value === undefined) return "unset";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const short = /^[0-9a-f]{20,}$/.test(text) ? text.slice(0, 12) : text;
  return short.length > LONGEST ? `${short.slice(0, LONGEST - 1)}…` : short;
}

/** Two long texts, each from shortly before the place where they differ. */
function parting(before: string, now: string): string {
  const [old, fresh] = [before.trim(), now.trim()];
  let same = 0;
  while (same < Math.min(old.length, fresh.length) && old[same] === fresh[same]) same++;
  const from = Math.max(old.length, fresh.length) > LONGEST ? Math.max(0, same - LONGEST / 2) : 0;
  const cut = (text: string) => shown(from > 0 ? `…${text.slice(from)}` : text);
  return `${cut(old)} → ${cut(fresh)}`;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function changedLines(before: string, now: string): string {
  const [old, fresh] = [before.split("\n"), now.split("\n")];
  const gone = old.filter((line) => !fresh.includes(line));
  const come = fresh.filter((line) => !old.includes(line));
  const more = Math.max(gone.length, come.length) - 1;
  // As a rule, what changes in a comment changes in a directive too.
  const telling = (lines: string[]) => lines.find((line) => !/^\s*#/.test(line)) ?? lines[0] ?? "nothing";
  const first = parting(telling(gone), telling(come));
  return more > 0 ? `${first}, and ${more} more line${more > 1 ? "s" : ""}` : first;
}

/**
 * What differs between two inputs of a step, one text a value: `minipcMac: OLD → NEW`. Of a text of several lines it
 * shows the first that changed and is no comment.
 */
export function differences(before: unknown, now: unknown, path: string[] = []): string[] {
  if (isDeepStrictEqual(before, now)) return [];
  if (isObject(before) && isObject(now)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter(
      // It is a digest of all the others.
      (name) => path.length > 0 || name !== "key",
    );
    return names.flatMap((name) => differences(before[name], now[name], [...path, name]));
  }
  const name = SPOKEN[path.at(-1) ?? ""] ?? path.join("/");
  const isText = [before, now].every((value) => typeof value === "string" && value.includes("\n"));
  return [
    isText
      ? `${name}: ${changedLines(before as string, now as string)}`
      : typeof before === "string" && typeof now === "string"
        ? // What was remembered by an earlier version may have a query.
          `${name}: ${parting(withoutUrlSecrets(before), withoutUrlSecrets(now))}`
        : `${name}: ${shown(before)} → ${shown(now)}`,
  ];
}

/** Whether a part would be reused or run, and why. */
export function verdict({ name, input, runs, isMade, missing, last }: Part): Verdict {
  const seconds = last?.seconds;
  if (!input) return { name, what: "follows", why: [], seconds };
  if (!runs || isMade) return { name, what: "reused", why: [] };
  if (!last) return { name, what: "runs", why: [missing ?? "it has not run here yet"] };
  // Undefined values do not reach a step.
  const changed = differences(last.input, JSON.parse(JSON.stringify(input)));
  if (changed.length > 0) return { name, what: "runs", why: changed, seconds };
  return {
    name,
    what: "runs",
    why: [missing ?? "one of its secrets changed, or it is new to the stack"],
    seconds,
  };
}

const inSeconds = (seconds: number) =>
  seconds >= 90
    ? `${Math.round(seconds / 60)} min`
    : `${seconds >= 10 ? Math.round(seconds) : Math.round(seconds * 10) / 10} s`;

/** The verdicts as a table, with what it all takes. */
export function explanation(verdicts: Verdict[]): string {
  const width = Math.max(...verdicts.map(({ name }) => name.length));
  const busy = verdicts.filter(({ what }) => what !== "reused");
  if (busy.length === 0) return `Every part is reused: ${verdicts.map(({ name }) => name).join(", ")}.`;
  const rows = verdicts.flatMap(({ name, what, why, seconds }) => {
    const time = what === "reused" ? "" : seconds === undefined ? "not timed yet" : inSeconds(seconds);
    const [first = "", ...rest] = what === "follows" && why.length === 0 ? ["a part before it changes"] : why;
    return [
      `  ${name.padEnd(width)}  ${what.padEnd(7)}  ${time.padEnd(13)}  ${first}`.trimEnd(),
      ...rest.map((line) => `  ${" ".repeat(width + 26)}${line}`),
    ];
  });
  const timed = busy.flatMap(({ seconds }) => seconds ?? []);
  const total = timed.reduce((sum, seconds) => sum + seconds, 0);
  const untimed = busy.length - timed.length;
  const others = untimed > 0 ? `, and ${untimed} not timed here yet` : "";
  const sum = timed.length > 0 ? [`About ${inSeconds(total)} if all of these run${others}.`] : [];
  return ["What is reused and what runs, and how long each part took here last time:", ...rows, ...sum].join(
    "\n",
  );
}
