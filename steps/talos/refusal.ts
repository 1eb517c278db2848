import { parseDocument } from "yaml";

function keysIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysIn);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysIn(inner)]);
}

/** Talos's YAML library quotes a value of the wrong type, and one that begins like an alias (go-yaml v3, decode.go). */
const WRONG_VALUES: [quotes: RegExp, without: string][] = [
  [/(cannot unmarshal \S+) `.*?` (into )/gs, "$1 (left out) $2"],
  [/(unknown anchor) '.*' (referenced)/g, "$1 (left out) $2"],
];

/** What Talos says of a config, without the values that it quotes as wrong: they may be secret. */
export const withoutWrongValues = (said: string): string =>
  WRONG_VALUES.reduce((text, [quotes, without]) => text.replace(quotes, without), said);

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
