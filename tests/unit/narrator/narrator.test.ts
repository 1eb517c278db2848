import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tool, TOP } from "../../tools";

const journal = readFileSync(join(__dirname, "journal.txt"), "utf8");
const EVENTS = join(TOP, "packer/appliance/events.awk");

/** What the console says of a journal, without the seconds. */
async function told(lines: string): Promise<string[]> {
  const said = await tool("busybox", ["awk", "-v", "own=10.10.10.2", "-f", EVENTS], lines);
  return said.split("\n").map((line) => line.replace(/^\d+ /, ""));
}

test("the console says what a mini-PC asked for and got, and how the services are, from the journal", async () => {
  expect(await told(journal)).toMatchSnapshot();
});

test("a clock that time servers correct is reported", async () => {
  const line = "1795460464.1 chronyd[431]: System clock wrong by -413423999.651234 seconds\n";
  expect(await told(line)).toEqual(["time: the clock was wrong by -413423999.651234 seconds"]);
});

test("control characters that a client sends do not reach a console", async () => {
  const request = '"GET /\u001b[2Jx HTTP/1.1" 404 153 "-" "x"';
  const line = `1795460464.1 nginx[424]: 10.10.10.100 - - [23/Nov/2026:19:00:44 +0000] ${request}\n`;
  expect(await told(line)).toEqual(["http: GET /?[2Jx 404 to 10.10.10.100, 153 bytes"]);
});

test("a query, which may hold a secret, is left out", async () => {
  const request = '"GET /boot.ipxe?token=SECRET HTTP/1.1" 200 1 "-" "x"';
  const line = `1795460464.1 nginx[424]: 10.10.10.100 - - [23/Nov/2026:19:00:44 +0000] ${request}\n`;
  expect(await told(line)).toEqual(["http: GET /boot.ipxe 200 to 10.10.10.100, 1 bytes"]);
});
