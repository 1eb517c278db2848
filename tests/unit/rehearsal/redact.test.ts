import { createReadStream } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { makeRedactor, redactStream } from "../../../steps/rehearsal/machines/redact";

const FAILED =
  '[  189.231939] [talos] controller failed {"error": "failed to load config via platform metal: unknown keys found during decoding:';
const NEXT = "[  189.787950] [talos] failed looking up time.cloudflare.com";

test("the values of unknown keys that Talos quotes are left out, on the same line and on those after it", () => {
  const oneLine = [`${FAILED}\\nmachine:\\n    nosuchkey: SECRETVALUE\\n"}`, NEXT];
  const manyLines = [FAILED, "machine:", "    nosuchkey: SECRETVALUE", NEXT];
  for (const lines of [oneLine, manyLines]) {
    const redact = makeRedactor();
    const kept = lines.map(redact).filter((line) => line !== undefined);
    expect(kept).toEqual([`${FAILED} (left out, since the values may be secret)`, NEXT]);
  }
});

test("a console's bytes pass unchanged, wherever they are cut", async () => {
  const said = Buffer.from([...Array(256).keys(), 10, ...Buffer.from(`${NEXT}\r\nlogin: `)]);
  const stream = redactStream();
  for (const byte of said) stream.write(Buffer.from([byte]));
  stream.setEncoding("latin1").end();
  expect(await text(stream)).toBe(said.toString("latin1"));
});

test("the serial log of a real Talos that refuses an unknown key has the key's place, and no value", async () => {
  const console = createReadStream(join(__dirname, "consoles", "refused-by-loader.txt"));
  const kept = await text(console.pipe(redactStream()));
  expect(kept).toContain("unknown keys found during decoding: (left out, since the values may be secret)");
  expect(kept).not.toMatch(/nosuchkey|SECRETVALUE/);
});

test.each([
  [
    "error decoding  to *v1alpha1.Config: yaml: unmarshal errors:\\n  line 3: cannot unmarshal !!str `SECRETV...` into bool",
    "SECRET",
  ],
  [
    "line 3: cannot unmarshal !!str `SECRET`x` into int\\n  line 4: cannot unmarshal !!int `4711` into bool",
    "SECRET",
  ],
  ["decode error: yaml: unknown anchor 'SECRET' referenced", "SECRET"],
])("a value that the YAML library quotes is left out: %s", (fault, value) => {
  const kept = makeRedactor()(`${NEXT} "error": "failed to load config via platform metal: ${fault}"}`);
  expect(kept).toMatch(/cannot unmarshal !!str \(left out\) into |unknown anchor \(left out\) referenced/);
  expect(kept).not.toContain(value);
});
