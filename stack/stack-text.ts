import { isAlias, isMap, isScalar, parseDocument, Scalar, type Document, type Node } from "yaml";
import { isFlag } from "./config/keys";
import { NAMESPACE } from "./config/defaults";

/** A value that YAML reads as something else than what stands there. */
export interface Misread {
  /** Config key, without the namespace. */
  key: string;
  /** As it is written. */
  text: string;
  /** As Pulumi hands it over. */
  value: string;
}

/** What a stack's file sets. */
export interface StackText {
  /** Values by key, without the namespace: text as it is written, a list as JSON. */
  given: Record<string, string>;
  misread: Misread[];
}

/** Pulumi's forms of a key, where the namespace is the project's: `KEY`, `NAMESPACE:KEY`, and of old `NAMESPACE:config:KEY`. */
const KEY = new RegExp(`^(?:${NAMESPACE}:(?:config:)?)?([^:]+)$`);

/**
 * What YAML makes of a plain scalar in either of its versions: Pulumi's reader takes numbers from both, but words for true and
 * false, and numbers with colons, from 1.2 alone (gopkg.in/yaml.v3, resolve.go).
 */
function resolved(text: string): string | number | bigint | boolean | Date | null {
  const [old, current] = (["1.1", "1.2"] as const).map((version) => {
    const { contents } = parseDocument(text, { version, intAsBigInt: true });
    return isScalar(contents) ? (contents.value as ReturnType<typeof resolved>) : text;
  });
  const isOldOnly = typeof old === "boolean" || (typeof old === "bigint" && text.includes(":"));
  return (isOldOnly || typeof old === "string" ? current : old) ?? null;
}

/** The most that Go keeps as a whole number; what is larger becomes a fraction. */
const LARGEST = 2n ** 64n - 1n;

/** A plain scalar as Pulumi hands it over; one that stands for nothing is empty. */
function handedOver(text: string): string {
  const value = resolved(text);
  if (value instanceof Date) return value.toISOString().replace(/^(.*)T(.*)\.\d+Z$/, "$1 $2 +0000 UTC");
  if (typeof value === "bigint") return String(value > LARGEST ? Number(value) : value);
  return value === null ? "" : String(value);
}

function target(node: unknown, document: Document): Node | undefined {
  return isAlias(node) ? node.resolve(document) : (node as Node | undefined);
}

/** Reads the text of a stack's file; what is no YAML sets nothing: Pulumi tells that to whoever uses it. */
export function readStackText(text: string): StackText {
  const found: StackText = { given: {}, misread: [] };
  const document = parseDocument(text);
  const config = document.errors.length === 0 && isMap(document.contents) && document.contents.get("config");
  if (!isMap(config)) return found;
  for (const item of config.items) {
    const [, key] = KEY.exec(String((item.key as Scalar).value)) ?? [];
    const node = target(item.value, document);
    // What is a map is a secret, and no key takes one.
    if (!key || !node || isMap(node)) continue;
    const isPlain = isScalar(node) && node.type === Scalar.PLAIN && !node.tag;
    const written = isPlain ? (node.source ?? "") : undefined;
    const held = node.toJS(document) as unknown;
    found.misread = found.misread.filter((each) => each.key !== key);
    found.given[key] = written ?? (typeof held === "string" ? held : JSON.stringify(held));
    const value = written === undefined ? found.given[key] : handedOver(written);
    // Nothing is nothing, and True is true.
    if (value === "" || (isFlag(key) && value === written?.toLowerCase())) found.given[key] = value;
    else if (written !== undefined && value !== written) found.misread.push({ key, text: written, value });
  }
  return found;
}
