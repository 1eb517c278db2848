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

test("the bytes of a console pass as they are, wherever they are cut", async () => {
  const said = Buffer.from([...Array(256).keys(), 10, ...Buffer.from(`${NEXT}\r\nlogin: `)]);
  const stream = redactStream();
  for (const byte of said) stream.write(Buffer.from([byte]));
  stream.setEncoding("latin1").end();
  expect(await text(stream)).toBe(said.toString("latin1"));
});
