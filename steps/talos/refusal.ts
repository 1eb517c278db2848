import { parseDocument } from "yaml";

function keysIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysIn);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysIn(inner)]);
}

/** Where the next of several faults begins (go-yaml v3, decode.go). */
const NEXT_FAULT = /(?=\bline \d+: )/;
/** How a fault begins that quotes a value of the wrong type, and how its end goes on (the same, and resolve.go). */
const WRONG_TYPE = /^(.*?\bcannot (?:unmarshal|decode) \S+ )`(.*)$/s;
const GOES_ON = ["` into ", "` as "];

function withoutWrongValue(fault: string): string {
  const [, before, quoted] = WRONG_TYPE.exec(fault) ?? [];
  if (before === undefined || quoted === undefined)
    return fault.replace(/(unknown anchor) '.*' (referenced)/g, "$1 (left out) $2");
  // The value may have such words itself, and a console's line may end within it.
  const end = Math.max(...GOES_ON.map((words) => quoted.lastIndexOf(words)));
  return `${before}(left out)${end < 0 ? /[\r\n]*$/.exec(quoted)?.[0] : quoted.slice(end + 1)}`;
}

/** What Talos says of a config, without the values that its YAML library quotes as wrong: they may be secret. */
export const withoutWrongValues = (said: string): string =>
  said.split(NEXT_FAULT).map(withoutWrongValue).join("");

/**
 * What talosctl says of a config that it refuses, on one line. It quotes the YAML under a key that it does not know,
 * which may be secret: of that only the keys are kept, and of wrong values nothing.
 */
export function refusal(said: string): string {
  const [sentence = "", quoted] = withoutWrongValues(said)
    .trim()
    .split(/(?<=unknown keys found during decoding:)\s/);
  const keys = quoted ? keysIn(parseDocument(quoted).toJS()) : [];
  return [sentence.split(/\s*\n\s*/).join(" "), keys.join(", ")].join(" ").trim();
}
