import { Transform } from "node:stream";
import { withoutWrongValues } from "../../steps/talos/refusal";

/** Talos names a config's unknown keys with their values, which may be secret (siderolabs/talos, config/decoder). */
const UNKNOWN_KEYS = /(unknown keys found during decoding:?)(.*)/;
/**
 * How something else begins than what Talos quotes: a line of Talos's own, or a kernel that starts. In the kernel's log
 * each line of a quotation has a stamp too, but the first alone has Talos's name (siderolabs/go-kmsg, kmsg.go).
 */
const NEW_ENTRY = /^\s*\[(?:\s*\d+\.\d+\] \[talos\] |\s*0\.000000\] )/;
/** Firmware ends a line by either, and each line keeps its end. */
const END_OF_LINE = /(?<=[\r\n])/;
const LEFT_OUT = " (left out, since the values may be secret)";

/** What a console printed, line by line, without the values that Talos quotes from a config that it refuses. */
export function makeRedactor(): (line: string) => string | undefined {
  let isQuoting = false;
  return (said) => {
    if (isQuoting && !NEW_ENTRY.test(said)) return undefined;
    const line = withoutWrongValues(said);
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
