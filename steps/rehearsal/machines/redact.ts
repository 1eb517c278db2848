import { Transform } from "node:stream";

/** Talos names a config's unknown keys with their values, which may be secret (siderolabs/talos, config/decoder). */
const UNKNOWN_KEYS = /(unknown keys found during decoding:?)(.*)/;
/** So does its YAML library with a value of the wrong type, or one that begins like an alias (go-yaml v3, decode.go). */
const WRONG_VALUES: [quotes: RegExp, without: string][] = [
  [/(cannot unmarshal \S+) `.*?` (into )/g, "$1 (left out) $2"],
  [/(unknown anchor) '.*' (referenced)/g, "$1 (left out) $2"],
];
/** How a line of the kernel's log begins; nothing that Talos quotes does. */
const NEW_ENTRY = /^\s*\[\s*\d+\.\d+\]/;
/** Firmware ends a line by either, and each line keeps its end. */
const END_OF_LINE = /(?<=[\r\n])/;
const LEFT_OUT = " (left out, since the values may be secret)";

/** What a console printed, line by line, without the values that Talos quotes from a config that it refuses. */
export function makeRedactor(): (line: string) => string | undefined {
  let isQuoting = false;
  return (said) => {
    if (isQuoting && !NEW_ENTRY.test(said)) return undefined;
    const line = WRONG_VALUES.reduce((text, [quotes, without]) => text.replace(quotes, without), said);
    const found = UNKNOWN_KEYS.exec(line);
    // A quotation that does not follow on the same line comes on those after it.
    isQuoting = found?.[2]?.trim() === "";
    if (!found) return line;
    const end = line.slice(found.index + found[0].length);
    return `${line.slice(0, found.index)}${found[1]}${LEFT_OUT}${end}`;
  };
}

/** Redacts a stream of a console's bytes as {@link makeRedactor} does its lines. */
export function redactStream(): Transform {
  const redact = makeRedactor();
  let rest = "";
  return new Transform({
    // Latin-1 keeps each byte as it is.
    transform(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString("latin1")).split(END_OF_LINE);
      rest = /[\r\n]$/.test(lines.at(-1) ?? "") ? "" : (lines.pop() ?? "");
      done(null, Buffer.from(lines.map((line) => redact(line) ?? "").join(""), "latin1"));
    },
    flush(done) {
      done(null, Buffer.from(redact(rest) ?? "", "latin1"));
    },
  });
}
