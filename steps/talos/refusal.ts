import { isScalar, parseDocument, visit } from "yaml";

/** The keys of a piece of YAML, which may be cut out of a document: what an alias in it means is not in it. */
function keysIn(text: string): string[] {
  const keys: string[] = [];
  visit(parseDocument(text), {
    Pair: (_at, { key }) => {
      if (isScalar(key)) keys.push(String(key.value));
    },
  });
  return keys;
}

/** Where the next of several faults begins (go-yaml v3, decode.go). */
const NEXT_FAULT = /(?=\bline \d+: )/;
/**
 * How a fault begins that quotes a value of the wrong type, and how its end goes on (go-yaml v3, decode.go and resolve.go; v4,
 * constructor.go, resolver.go, composer.go).
 */
const WRONG_TYPE = /^(.*?\bcannot (?:unmarshal|construct|decode) \S+ )`(.*)$/s;
const GOES_ON = ["` into ", "` as "];

function withoutWrongType(fault: string): string {
  const [, before, quoted] = WRONG_TYPE.exec(fault) ?? [];
  if (before === undefined || quoted === undefined) return fault;
  // The value may have such words itself, and a console's line may end within it.
  const end = Math.max(...GOES_ON.map((words) => quoted.lastIndexOf(words)));
  return `${before}(left out)${end < 0 ? /[\r\n]*$/.exec(quoted)?.[0] : quoted.slice(end + 1)}`;
}

/**
 * What Go quotes with %q behind some words, up to the quotation's end. In a line of JSON its quotes have backslashes before
 * them, and what is quoted within has more. Where no end is found, it goes on to that of the line.
 */
const quotedBehind = (words: string) => new RegExp(`(${words} )(\\\\*)".*?(?:(?<!\\\\)\\2"|$)`, "gm");

/**
 * How Talos's libraries and its own checks quote a config's values, which may be secret, up to the end of a line that the
 * kernel's log cuts (siderolabs/go-kmsg, writer.go):
 * the YAML libraries one that begins like an alias; net/url a URL, and of a password with a slash the part that looks like a port;
 * Talos itself (pkg/machinery, config/types) a key of WireGuard, the discovery's secret, and a container's environment.
 */
const WRONG_VALUES: [quotes: RegExp, without: string][] = [
  [/(unknown anchor) '(?:.*' (referenced)|.*)/g, "$1 (left out) $2"],
  [quotedBehind("parse"), "$1(left out)"],
  [quotedBehind("manifest url"), "$1(left out)"],
  [quotedBehind("invalid port"), "$1(left out)"],
  [/(invalid host: ).*/g, "$1(left out)"],
  [quotedBehind("wrong key"), "$1(left out)"],
  [/(failed to decode from base64: ).*?(?:(; illegal base64)|$)/gs, "$1(left out)$2"],
  [/(expected \d+ bytes, got \d+: )[\w+/=\\\r\n-]*/g, "$1(left out)"],
  [quotedBehind(String.raw`environment\[\d+\]:`), "$1(left out)"],
];

/** What Talos says of a config, in a text or in a line of its log, without the values that it quotes as wrong. */
export const withoutWrongValues = (said: string): string =>
  WRONG_VALUES.reduce(
    (text, [quotes, without]) => text.replace(quotes, without),
    said.split(NEXT_FAULT).map(withoutWrongType).join(""),
  );

/**
 * What talosctl says of a config that it refuses, on one line. It quotes the YAML under a key that it does not know,
 * which may be secret: of that only the keys are kept, and of wrong values nothing.
 */
export function refusal(said: string): string {
  const [sentence = "", quoted] = withoutWrongValues(said)
    .trim()
    .split(/(?<=unknown keys found during decoding:)\s/);
  const keys = quoted ? keysIn(quoted) : [];
  return [sentence.split(/\s*\n\s*/).join(" "), keys.join(", ")].join(" ").trim();
}
