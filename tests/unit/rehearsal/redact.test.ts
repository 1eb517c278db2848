import { createReadStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { makeRedactor, redactStream } from "../../../rehearsal/machines/redact";

const CONSOLES = join(__dirname, "consoles");
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

test("a quotation whose lines have the kernel's stamps, too, ends where Talos or a kernel says something else", () => {
  const quoted = [
    "[  189.3] machine:",
    "[  189.4]     nosuchkey: |",
    "[  189.5]         [talos] SECRETVALUE",
    "SECRET",
  ];
  for (const next of [NEXT, "[    0.000000] Command line: vmlinuz pti=on"]) {
    const redact = makeRedactor();
    const kept = [FAILED, ...quoted, next].map(redact).filter((line) => line !== undefined);
    expect(kept).toEqual([`${FAILED} (left out, since the values may be secret)`, next]);
  }
});

/** The kernel's log takes some 980 characters of a line, and Talos ends a longer one with dots (siderolabs/go-kmsg, writer.go). */
test.each(["cannot construct !!str `SECR", "unknown anchor 'SECR", "failed to decode from base64: SECR"])(
  "of a quotation that the end of the line cuts nothing is kept: %s",
  (fault) => {
    const kept = makeRedactor()(`${NEXT} "error": "failed to load config via platform metal: ${fault}...\n`);
    expect(kept).toMatch(/failed to load config .*\(left out\)/);
    expect(kept).not.toContain("SECR");
  },
);

test("the bytes of a console pass as they are, wherever they are cut", async () => {
  const said = Buffer.from([...Array(256).keys(), 10, ...Buffer.from(`${NEXT}\r\nlogin: `)]);
  const stream = redactStream();
  for (const byte of said) stream.write(Buffer.from([byte]));
  stream.setEncoding("latin1").end();
  expect(await text(stream)).toBe(said.toString("latin1"));
});

test("the serial log of a real Talos that refuses an unknown key holds its name's place, and no value", async () => {
  const console = createReadStream(join(CONSOLES, "refused-by-loader.txt"));
  const kept = await text(console.pipe(redactStream()));
  expect(kept).toContain("unknown keys found during decoding: (left out, since the values may be secret)");
  expect(kept).not.toMatch(/nosuchkey|SECRETVALUE/);
});

test.each(readdirSync(CONSOLES).filter((name) => name.includes("refused")))(
  "no value of a refused config is in the serial log: %s",
  async (name) => {
    const kept = await text(createReadStream(join(CONSOLES, name)).pipe(redactStream()));
    expect(kept).toContain("failed to load config via platform metal: ");
    expect(kept).toContain("(left out");
    expect(kept).not.toContain("SECRET");
  },
);

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
