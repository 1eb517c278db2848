import fc from "fast-check";
import type { Diagnosis, Exchange, LinkName, Party, RehearsalRecord, Side } from "../../../rehearsal/record";
import { LINE, sequenceOf } from "../../../rehearsal/timeline/sequence";
import { drawSequence } from "../../../rehearsal/timeline/sequence-drawing";
import { timelinePage } from "../../../rehearsal/timeline/page";
import { timelineText } from "../../../rehearsal/timeline/text";

const MAC = "52:54:00:12:34:56";
const IP = "10.10.10.100";

const REACHED = [
  [6.1, "power-on", "the appliance starts from its disk", "its console: Linux version 6.1.0-56-amd64"],
  [
    28.4,
    "address",
    "the appliance has its address on the isolated NIC",
    "ARP: 10.10.10.2 is at 02:00:5e:00:53:11",
  ],
  [31, "services", "the appliance says that it serves", `its console: serving ${MAC} -> ${IP} on isolated`],
  [
    43.2,
    "pxe",
    "the mini-PC's firmware asks for an address",
    `DHCP discover from ${MAC}, client architecture 7`,
  ],
  [47.1, "lease", "the mini-PC is leased its address", `DHCP ack: ${IP}, file snponly.efi, time 10.10.10.2`],
  [47.4, "loader", "the firmware has iPXE by TFTP", "TFTP: snponly.efi, 170 KiB"],
  [52.5, "script", "iPXE has boot.ipxe by HTTP", "GET /boot.ipxe: 200, 1028 bytes"],
  [
    53.2,
    "kernel",
    "iPXE has the kernel by HTTP",
    "GET /talos/v1.11.6/vmlinuz: 200, 19.1 MiB, SHA-256 26f2e57c9933…",
  ],
  [56.7, "initramfs", "iPXE has the initramfs by HTTP", "GET /talos/v1.11.6/initramfs.xz: 200, 79.5 MiB"],
  [
    60.2,
    "start",
    "the kernel starts with the right command line",
    "its console: all 10 arguments, talos.platform=metal first",
  ],
  [74.9, "time", "the mini-PC has the time", "NTP: 10.10.10.2 answers, stratum 10"],
  [
    75.1,
    "config",
    "the mini-PC has the very machine config",
    "GET /configs/minipc.yaml: 200, SHA-256 4b156ed9546f… as decrypted",
  ],
  [76, "accepted", "Talos's loader accepts the config", "its console: machine config loaded successfully"],
] as const;

const PROOFS = [
  ["other-mac", "another MAC is offered no address", "02:00:5e:00:53:01 asked and was offered none"],
  [
    "uplink-silent",
    "no service answers on the uplink",
    "asked on the uplink: answered nothing; by the lease: HTTP, DNS, time, TFTP",
  ],
  [
    "pinned",
    "the machine config goes to the pinned lease only",
    "10.10.10.254 gets /boot.ipxe 200, /configs/minipc.yaml 403",
  ],
  [
    "sides",
    "on other hardware, with its NICs the other way round, it serves on the isolated side",
    "UEFI, sata disk, e1000, NICs the other way round: its console: serving",
  ],
] as const;

type Said = [atS: number, from: Party, to: Party | undefined, what: string, link?: LinkName];
const SAID: Said[] = [
  [14.1, "appliance", undefined, "DHCP discover: operating system", "uplink"],
  [14.2, "appliance", undefined, "DHCP discover: operating system"],
  [16.2, "appliance", undefined, "DHCP discover: operating system"],
  [18.2, "appliance", undefined, "DHCP discover: operating system"],
  [28.4, "appliance", undefined, "ARP: 10.10.10.2 is here"],
  [31.1, "stranger", undefined, "DHCP discover: firmware"],
  [31.1, "stranger", undefined, "DHCP discover: firmware", "uplink"],
  [43.2, "minipc", undefined, "DHCP discover: firmware"],
  [43.2, "appliance", "minipc", `DHCP offer: ${IP}, snponly.efi`],
  [47.1, "minipc", undefined, "DHCP request: firmware"],
  [47.1, "appliance", "minipc", `DHCP ack: ${IP}, snponly.efi`],
  [47.2, "minipc", "appliance", "TFTP: snponly.efi?"],
  [47.2, "minipc", "appliance", "TFTP: snponly.efi?"],
  [47.4, "appliance", "minipc", "TFTP: snponly.efi, 170 KiB"],
  [49.5, "minipc", undefined, "DHCP discover: iPXE"],
  [49.5, "appliance", "minipc", `DHCP offer: ${IP}, http://10.10.10.2/boot.ipxe`],
  [50.5, "minipc", undefined, "DHCP discover: iPXE"],
  [50.5, "appliance", "minipc", `DHCP offer: ${IP}, http://10.10.10.2/boot.ipxe`],
  [52.4, "minipc", undefined, "DHCP request: iPXE"],
  [52.4, "appliance", "minipc", `DHCP ack: ${IP}, http://10.10.10.2/boot.ipxe`],
  [52.5, "minipc", "appliance", "HTTP: GET /boot.ipxe"],
  [52.5, "appliance", "minipc", "HTTP: 200, 2 KiB"],
  [52.6, "minipc", "appliance", "HTTP: GET /talos/v1.11.6/vmlinuz"],
  [53.2, "appliance", "minipc", "HTTP: 200, 19545 KiB"],
  [53.3, "minipc", "appliance", "HTTP: GET /talos/v1.11.6/initramfs.xz"],
  [56.7, "appliance", "minipc", "HTTP: 200, 81412 KiB"],
  [74.8, "minipc", "appliance", "NTP: what time is it?"],
  [74.9, "appliance", "minipc", "NTP: the time, stratum 10"],
  [75, "minipc", "appliance", "HTTP: GET /configs/minipc.yaml"],
  [75.1, "appliance", "minipc", "HTTP: 200, 11 KiB"],
  [76.2, "stranger", "appliance", "HTTP: GET /configs/minipc.yaml"],
  [76.3, "appliance", "stranger", "HTTP: 403, 1 KiB"],
  [76.4, "stranger", "appliance", "NTP: what time is it?", "uplink"],
];
const exchange = ([atS, from, to, what, link = "isolated"]: Said): Exchange => ({
  ...{ atMs: atS * 1000, link, from, to, what },
});

const GOOD: RehearsalRecord = {
  passed: true,
  image: {
    path: "/home/ada/pxe/artifacts/lab/bootstrap-2025-12-17.raw",
    sha256: "1a2b3c4d5e6f".repeat(5),
    bytes: 851_443_712,
  },
  minipc: { mac: MAC, ip: IP },
  talosVersion: "v1.11.6",
  startedAt: "2025-12-17T09:30:00.000Z",
  tookMs: 78_300,
  accelerator: "kvm",
  hardware: {
    appliance: { firmware: "bios", disk: "virtio", nic: "virtio-net-pci" },
    minipc: { firmware: "uefi", nic: "virtio-net-pci" },
    twin: { firmware: "uefi", disk: "sata", nic: "e1000", swapped: true },
  },
  reached: REACHED.map(([atS, id, title, evidence], index) => ({
    ...{ id, title, side: index < 3 ? "appliance" : "minipc" },
    ...{ atMs: atS * 1000, evidence },
  })),
  proofs: PROOFS.map(([id, title, evidence]) => ({ id, title, held: true, evidence })),
  exchanges: SAID.map(exchange),
  screens: REACHED.map(([, id], index) => ({
    id,
    machine: "minipc",
    file: `screens/${index}-${id}-minipc.png`,
  })),
};

/** nginx has no config: asked three times. */
const FAILED: RehearsalRecord = {
  ...GOOD,
  ...{ passed: false, tookMs: 85_300, proofs: [] },
  reached: GOOD.reached.slice(0, -2),
  exchanges: [
    ...SAID.filter(([atS]) => atS < 75),
    ...[75, 80, 85].flatMap((atS): Said[] => [
      [atS, "minipc", "appliance", "HTTP: GET /configs/minipc.yaml"],
      [atS + 0.1, "appliance", "minipc", "HTTP: 404, 1 KiB"],
    ]),
  ].map(exchange),
  screens: [
    ...GOOD.screens.slice(0, -2),
    { id: "end", machine: "minipc", file: "screens/12-end-minipc.png" },
  ],
  diagnosis: {
    ...{ kind: "milestone", side: "minipc" },
    at: "config",
    title: "the mini-PC has the very machine config",
    seen: "/configs/minipc.yaml was answered with the status 404",
    look: "Look at talos.config in files/boot.ipxe, and at location /configs/ in files/nginx-bootstrap.conf",
  },
};

const LEAK = "10.10.10.254 gets /boot.ipxe 200, /configs/minipc.yaml 200";
/** Everything held but one proof. */
const LEAKING: RehearsalRecord = {
  ...GOOD,
  passed: false,
  proofs: GOOD.proofs.map((proof) =>
    proof.id === "pinned" ? { ...proof, held: false, evidence: LEAK } : proof,
  ),
  diagnosis: {
    ...{ kind: "proof", side: "appliance" },
    at: "pinned",
    title: PROOFS[2][1],
    seen: LEAK,
    look: "Look at location /configs/ in files/nginx-bootstrap.conf",
  },
};

const RECORDS: [string, RehearsalRecord][] = [
  ["a boot as it should be", GOOD],
  ["no config", FAILED],
  ["a config for everyone", LEAKING],
];

const escaped = (text: string) =>
  text
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/'/g, "&#39;")
    .replace(/"/g, "&quot;");
const attributes = (page: string, name: string) =>
  [...page.matchAll(new RegExp(` ${name}="([^"]*)"`, "g"))].map(([, value]) => value ?? "");
const arrowsOf = (record: RehearsalRecord) =>
  sequenceOf(record).rows.flatMap((row) => (row.kind === "arrow" ? [row] : []));

/** Any of the texts of a record may come from a machine under test. */
const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]></style>",
    "a\u001b[2J\nb",
    "javascript:x",
    "//host/x",
  ),
);
const party = fc.constantFrom<Party>("minipc", "appliance", "stranger");
const side = fc.constantFrom<Side>("minipc", "appliance");
const kind = fc.constantFrom("milestone", "proof");
const anyRecord = fc
  .record({
    exchanges: fc.array(
      fc.record({
        atMs: fc.nat(200_000),
        link: fc.constantFrom("isolated", "uplink"),
        from: party,
        to: fc.option(party, { nil: undefined }),
        what: fc.oneof(hostile, fc.constantFrom("HTTP: GET /a", "HTTP: GET /b", "DHCP offer: 10.10.10.100")),
      }),
      { maxLength: 150 },
    ),
    reached: fc.array(
      fc.record({ id: hostile, title: hostile, side, atMs: fc.nat(200_000), evidence: hostile }),
      {
        maxLength: 15,
      },
    ),
    proofs: fc.array(fc.record({ id: hostile, title: hostile, held: fc.boolean(), evidence: hostile }), {
      maxLength: 5,
    }),
    screens: fc.array(
      fc.record({ id: hostile, machine: fc.constantFrom("appliance", "minipc"), file: hostile }),
      { maxLength: 5 },
    ),
    diagnosis: fc.option(
      fc.record({ kind, at: hostile, title: hostile, side, seen: hostile, look: hostile }),
      {
        nil: undefined,
      },
    ),
    path: hostile,
  })
  .map(({ path, ...rest }): RehearsalRecord => ({
    ...{ ...GOOD, ...rest },
    ...{ passed: !rest.diagnosis, image: { ...GOOD.image, path } },
  }));

describe("as text", () => {
  test.each(RECORDS)("%s", (_name, record) => {
    expect(timelineText(record)).toMatchSnapshot();
  });

  test("is plain, whatever a machine said, and no line of a table is wider than the terminal", () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const text = timelineText(record);
        expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        const [tables] = text.split(/^(?:broke at)/m);
        const wide = tables?.split("\n").filter((line) => [...line].length > 110);
        expect(wide).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

describe.each(RECORDS)("as a page: %s", (_name, record) => {
  const page = timelinePage(record);

  test("names every milestone, every proof and what broke", () => {
    const { reached, proofs, diagnosis } = record;
    const said = [...reached, ...proofs].flatMap(({ title, evidence }) => [title, evidence]);
    for (const text of [...said, ...(diagnosis ? [diagnosis.title, diagnosis.seen, diagnosis.look] : [])])
      expect(page).toContain(escaped(text));
    const picture = drawSequence(record).text;
    for (const { title } of reached) expect(picture).toContain(`>${escaped(title)}</text>`);
    expect(picture.includes('class="broken"')).toBe(!record.passed);
  });

  test("links every picture of a screen and every file", () => {
    const links = attributes(page, "href");
    for (const { file } of record.screens) {
      expect(links).toContain(file);
      expect(attributes(page, "src")).toContain(file);
    }
    for (const file of [
      "isolated.pcap",
      "uplink.pcap",
      "appliance.serial.log",
      "minipc.serial.log",
      "timeline.txt",
      "rehearsal.json",
    ])
      expect(links).toContain(file);
  });

  test("asks for nothing from elsewhere", () => {
    const links = [...attributes(page, "href"), ...attributes(page, "src")];
    expect(links.filter((link) => /^\/|:/.test(link))).toEqual(["data:,"]);
    expect(page).not.toMatch(/<script|@import|url\(/);
    expect(attributes(page, "xmlns")).toEqual(["http://www.w3.org/2000/svg"]);
  });

  test("is readable without seeing it", () => {
    expect(page).toMatch(/<svg [^>]*role="img" aria-labelledby="sequence-title sequence-about"/);
    expect(page).toMatch(/<title id="sequence-title">[^<]+<\/title>\s*<desc id="sequence-about">[^<]+</);
    expect(page.match(/<th scope="col"/g)).toHaveLength(4);
    expect(page.match(/<img /g)).toHaveLength(page.match(/<img [^>]*alt="[^"]+"/g)?.length ?? 0);
    expect(page.match(/>held</g) ?? []).toHaveLength(record.proofs.filter(({ held }) => held).length);
    expect(page.match(/>NOT held</g) ?? []).toHaveLength(record.proofs.filter(({ held }) => !held).length);
  });
});

test("a page names no console of a mini-PC that was never switched on", () => {
  const diagnosis: Diagnosis = {
    ...({ kind: "milestone", side: "appliance" } as const),
    ...{ at: "services", title: "the appliance says that it serves" },
    ...{ seen: "nginx is not running", look: "Look at files/nginx-bootstrap.conf" },
  };
  const page = timelinePage({
    ...FAILED,
    reached: GOOD.reached.slice(0, 2),
    exchanges: [],
    screens: [],
    diagnosis,
  });
  expect(attributes(page, "href")).not.toContain("minipc.serial.log");
});

test("nothing that a machine said is markup", () => {
  // Tags and attributes that the page has of its own.
  const own = (page: string) => new Set(page.match(/<\/?[a-z]+\d?/g));
  const known = new Set(RECORDS.flatMap(([, record]) => [...own(timelinePage(record))]));
  fc.assert(
    fc.property(anyRecord, (record) => {
      const page = timelinePage(record);
      expect([...own(page)].filter((tag) => !known.has(tag))).toEqual([]);
      // With every tag taken away, whole, no sign of markup is left.
      const style = /<style>[^<]*<\/style>/;
      const text = page
        .replace(style, "")
        .replace(/<[!/]?[a-z]+\d?(?: [a-zA-Z-]+\d?(?:="[^"<>]*")?)*\/?>/g, "");
      expect(text).not.toMatch(/[<>"]/);
      const links = [...attributes(page, "href"), ...attributes(page, "src")];
      expect(links.filter((link) => /^\/|:/.test(link))).toEqual(["data:,"]);
    }),
    { numRuns: 100 },
  );
});

describe("the picture", () => {
  test("holds every arrow and mark, and no row's text touches the next one's", () => {
    fc.assert(
      fc.property(fc.oneof(anyRecord, fc.constantFrom(...RECORDS.map(([, record]) => record))), (record) => {
        const { width, height, rows, lifelines } = sequenceOf(record);
        rows.forEach(({ y }, index) => expect(y - (rows[index - 1]?.y ?? 0)).toBeGreaterThanOrEqual(LINE));
        expect(Math.max(...rows.map(({ y }) => y))).toBeLessThan(height);
        const ends = rows.flatMap((row) => (row.kind === "arrow" ? [row.fromX, ...row.toX, row.labelX] : []));
        const frames = rows.flatMap((row) =>
          row.kind === "reached" || row.kind === "broken" ? [row.x, row.x + row.width] : [],
        );
        for (const x of [...ends, ...frames, ...lifelines.map((each) => each.x)]) {
          expect(x).toBeGreaterThan(0);
          expect(x).toBeLessThanOrEqual(width);
        }
        const times = rows.map(({ atMs }) => atMs);
        expect(times).toEqual([...times].sort((one, other) => one - other));
      }),
      { numRuns: 100 },
    );
  });

  test("has text lines that do not overlap, as drawn", () => {
    for (const [, record] of RECORDS) {
      const labels = drawSequence(record).text.matchAll(/<text class="label[^"]*" x="[\d.]+" y="([\d.]+)"/g);
      const heights = [...labels].map(([, y]) => Number(y));
      expect(heights.length).toBeGreaterThan(20);
      heights.slice(1).forEach((y, index) => expect(y - (heights[index] ?? 0)).toBeGreaterThanOrEqual(LINE));
    }
  });

  test("shows an uplink and a stranger only where there are some", () => {
    const names = (record: RehearsalRecord) => sequenceOf(record).lifelines.map(({ who }) => who);
    expect(names(GOOD)).toEqual(["minipc", "appliance", "stranger", "uplink"]);
    const alone = GOOD.exchanges.filter(
      ({ from, to, link }) => ![from, to, link].some((each) => /stranger|uplink/.test(`${each}`)),
    );
    expect(names({ ...GOOD, exchanges: alone })).toEqual(["minipc", "appliance"]);
  });

  test("says how many seconds it leaves out", () => {
    const skipped = sequenceOf(GOOD).rows.flatMap((row) => (row.kind === "skipped" ? [row.ms] : []));
    expect(skipped).toEqual([6100, 8000, 10_200, 12_100, 14_600]);
    expect(drawSequence(GOOD).text).toContain(">14.6 s, nothing said</text>");
  });

  test("folds what is said again and again, and a whole exchange that is repeated", () => {
    const counts = (record: RehearsalRecord) =>
      arrowsOf(record).flatMap(({ label: { head, rest, count } }) =>
        count ? [`${head}|${rest}|${count}`] : [],
      );
    expect(counts(FAILED)).toEqual([
      "DHCP discover|operating system|×3 in 4.0 s",
      "TFTP|snponly.efi?|×2",
      "DHCP discover|iPXE|×2 in 1.0 s",
      expect.stringMatching(/^DHCP offer\|.*…\|×2 in 1.0 s$/),
      "HTTP|GET /configs/minipc.yaml|×3 in 10.0 s",
      "HTTP|404, 1 KiB|×3 in 10.0 s",
    ]);
    const different = ["HTTP: GET /a", "HTTP: GET /b", "HTTP: GET /c"];
    const exchanges = different.map((what, index) => exchange([40 + index, "minipc", "appliance", what]));
    expect(counts({ ...GOOD, reached: [], exchanges })).toEqual(["HTTP|GET /a|and 2 more in 2.0 s"]);
  });

  test("does not fold across a milestone, or messages of different directions", () => {
    const asked = (atS: number, link?: "uplink") =>
      exchange([atS, "appliance", undefined, "DHCP discover: x", link]);
    const count = (exchanges: Exchange[]) => arrowsOf({ ...GOOD, exchanges }).length;
    expect(count([asked(40), asked(41)])).toBe(1);
    expect(count([asked(40), asked(41, "uplink")])).toBe(2);
    expect(count([asked(30), asked(32)])).toBe(2);
  });

  test("an answer comes before the milestone that it shows", () => {
    const { rows } = sequenceOf(GOOD);
    const place = (title: string) => rows.findIndex((row) => row.kind === "reached" && row.title === title);
    expect(rows[place("the mini-PC is leased its address") - 1]).toMatchObject({
      kind: "arrow",
      label: { head: "DHCP ack" },
    });
  });

  test("is torn on the side that broke", () => {
    const broken = (record: RehearsalRecord) => sequenceOf(record).rows.at(-1);
    const [minipc, appliance] = sequenceOf(GOOD).lifelines;
    expect(broken(FAILED)).toMatchObject({ kind: "broken", x: minipc?.x, atMs: 85_300 });
    expect(broken(LEAKING)).toMatchObject({ kind: "broken", x: appliance?.x });
    expect(broken(GOOD)).toMatchObject({ kind: "end" });
  });
});
