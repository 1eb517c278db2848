import { parseDocument } from "yaml";

function keysIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysIn);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysIn(inner)]);
}

/**
 * What talosctl says of a config that it refuses, on one line. It quotes the YAML under a key that it does not know,
 * which may be secret: of that only the keys are kept.
 */
export function refusal(said: string): string {
  const [sentence = "", quoted] = said.trim().split(/(?<=unknown keys found during decoding:)\s/);
  const keys = quoted ? keysIn(parseDocument(quoted).toJS()) : [];
  return [sentence.split(/\s*\n\s*/).join(" "), keys.join(", ")].join(" ").trim();
}
