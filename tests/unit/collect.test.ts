import type { Entry } from "../../commands/collect/journal";
import {
  asShortUnix,
  bootsOf,
  eventsOf,
  faultsOf,
  leasesOf,
  report,
  utc,
  withoutQueries,
} from "../../commands/collect/report";

const AT = Date.UTC(2025, 11, 18, 9, 30);
const entry = (given: Partial<Entry>): Entry => ({
  ...{ atMs: AT, boot: "a", source: "bootstrap-pxe", priority: 6, message: "serving A -> B" },
  ...given,
});

test("boots follow one another as in the journal, also where the clock was set back between them", () => {
  const entries = [
    entry({ boot: "b" }),
    entry({ boot: "b", atMs: AT + 5000 }),
    entry({ boot: "a", atMs: AT - 864e5 }),
  ];
  expect(bootsOf(entries)).toEqual([
    { id: "b", fromMs: AT, toMs: AT + 5000 },
    { id: "a", fromMs: AT - 864e5, toMs: AT - 864e5 },
  ]);
});

test("faults are what a program calls an error, and why nothing is served; nothing else", () => {
  const faults = [
    entry({ source: "nginx", priority: 3, message: "bind() failed" }),
    entry({ source: "kernel", priority: 0, message: "panic" }),
    entry({ message: "NOT serving: this machine has no NIC" }),
  ];
  const fine = [
    entry({ source: "nginx", priority: 4, message: "a warning" }),
    entry({ source: "dnsmasq", message: "NOT serving" }),
    entry({}),
  ];
  expect(faultsOf([...fine, ...faults])).toEqual(faults);
});

test("a line for the appliance's own events.awk, and one of its events, have their times", () => {
  expect(asShortUnix([entry({ message: "two\nlines" })])).toBe("1766050200 bootstrap-pxe: two lines\n");
  expect(eventsOf("1766050200 dhcp: ack\n\n")).toEqual(["2025-12-18T09:30:00Z dhcp: ack"]);
});

test.each([
  [
    '2025-12-18T09:30:00+0000 nuc nginx: 10.10.10.100 - - [x] "GET /a?token=SECRET HTTP/1.1" 200 1 "-" "x"',
    '2025-12-18T09:30:00+0000 nuc nginx: 10.10.10.100 - - [x] "GET /a?… HTTP/1.1" 200 1 "-" "x"',
  ],
  [
    '2025-12-18T09:30:00+0000 nuc nginx[41]: 2025/12/18 [error] failed, request: "GET /a?token=SECRET HTTP/1.1", host: "x"',
    '2025-12-18T09:30:00+0000 nuc nginx[41]: 2025/12/18 [error] failed, request: "GET /a?… HTTP/1.1", host: "x"',
  ],
  ["2025-12-18T09:30:00+0000 nuc kernel: why?so", "2025-12-18T09:30:00+0000 nuc kernel: why?so"],
])("a query, which may hold a secret, is left out of the journal: %s", (line, without) => {
  expect(withoutQueries(`${line}\n`)).toBe(`${without}\n`);
});

test("leases in words: one for good, one that ends, and no line that is none", () => {
  const file = [
    "0 52:54:00:12:34:56 10.10.10.100 * 01:52:54:00:12:34:56",
    "1766050200 52:54:00:12:34:57 10.10.10.101 node *",
    "duid 00:01",
    "",
  ].join("\n");
  expect(leasesOf(file)).toEqual([
    "10.10.10.100 to 52:54:00:12:34:56, for good",
    "10.10.10.101 to 52:54:00:12:34:57, until 2025-12-18T09:30:00Z",
  ]);
});

test("the terminal shows the last lines of each kind, and counts all; the file has all that was said", () => {
  const entries = Array.from({ length: 12 }, (_, index) =>
    entry({ atMs: AT + index * 1000, message: `NOT serving: ${index}` }),
  );
  const { lines, status } = report({ site: "This is it.", entries, events: [], leases: [] });
  expect(lines).toEqual([
    "This is it.",
    "It was started:",
    "  2025-12-18T09:30:00Z, and its journal goes on until 2025-12-18T09:30:11Z",
    "It said last, 2025-12-18T09:30:11Z: NOT serving: 11",
    "Leased: none",
    "Events: none",
    "Faults, the last 10 of 12:",
    ...entries.slice(2).map(({ atMs, message }) => `  ${utc(atMs)} bootstrap-pxe: ${message}`),
  ]);
  expect(status.match(/NOT serving: 0\n/g)).toHaveLength(1);
});

test("control characters that a client sent do not reach a terminal", () => {
  const entries = [entry({ source: "nginx", priority: 3, message: "GET /\u001b[2J…" })];
  const { lines } = report({ site: "", entries, events: [], leases: [] });
  expect(lines.at(-1)).toBe("  2025-12-18T09:30:00Z nginx: GET /?[2J…");
});

test("a disk whose site layer cannot be read, and that never came to say anything", () => {
  const { lines } = report({ site: undefined, entries: [], events: [], leases: [] });
  expect(lines).toEqual([
    "Its site layer cannot be read: import its image again.",
    "It was started: none",
    "It never said whether it serves.",
    ...["Leased: none", "Events: none", "Faults: none"],
  ]);
});
