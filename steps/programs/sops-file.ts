import { withoutWrongValues } from "../talos/refusal";
import { parseAllDocuments } from "yaml";

/** How sops wrote a file: as YAML (JSON is YAML too), or as bytes that it did not look into. */
export type SopsForm = "yaml" | "binary";

/** What shows sops's metadata in a text that is no YAML any more, such as one with the marks of a merge. */
const METADATA = /^"?sops"?:/m;

/** The top of a YAML text's first document, as far as it is a mapping; undefined where the text is no YAML. */
function topOf(text: string): object | undefined {
  try {
    const [first] = parseAllDocuments(text);
    if (!first || first.errors.length > 0) return undefined;
    const top = (first as { toJS(): unknown }).toJS();
    return typeof top === "object" && top !== null ? top : {};
  } catch {
    return undefined;
  }
}

/**
 * How sops encrypted a text; undefined when it did not. Each of its documents carries sops's metadata under `sops`
 * (getsops/sops, stores). What is encrypted as binary, which sops does for a file without an ending that it knows, has besides
 * that only `data`.
 */
export function sopsFormOf(text: string): SopsForm | undefined {
  const top = topOf(text);
  if (!top) return METADATA.test(text) ? "yaml" : undefined;
  if (!("sops" in top)) return undefined;
  const others = Object.entries(top).filter(([key]) => key !== "sops");
  const [only] = others;
  const isBinary = others.length === 1 && only?.[0] === "data" && /^ENC\[/.test(String(only[1]));
  return isBinary ? "binary" : "yaml";
}

/** sops quotes a value that should be encrypted and is not: it may be a secret that somebody wrote into the file. */
const QUOTED: [quotes: RegExp, without: string][] = [
  [/(Input string ).*?( does not match)/gs, "$1(left out)$2"],
];

/** What sops said, on one line and without values that may be secret. */
export function sopsWords(stderr: string): string {
  const text = QUOTED.reduce(
    (said, [quotes, without]) => said.replace(quotes, without),
    withoutWrongValues(stderr),
  );
  return text.trim().split(/\s+/).join(" ");
}

/** Why none of a file's keys was to be had: sops draws a box around the reason for each of them. */
export function keylessWords(stderr: string): string {
  const boxed = stderr
    .split("\n")
    .map((line) => /^\s+(- )?\| (.*)$/.exec(line))
    .flatMap((match) => (match ? [{ begins: Boolean(match[1]), words: match[2] ?? "" }] : []));
  const reasons: string[] = [];
  for (const { begins, words } of boxed)
    if (begins || reasons.length === 0) reasons.push(words);
    else reasons[reasons.length - 1] += ` ${words}`;
  // Where else it looked is a list of all places that sops knows.
  const short = reasons.map((reason) => reason.replace(/\.? Did not find keys in locations .*$/s, ""));
  return [...new Set(short)].slice(0, 2).join("; ");
}
