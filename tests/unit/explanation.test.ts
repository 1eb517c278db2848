import { differences, explanation, verdict } from "../../components/explanation";

test.each<[string, object, object, string[]]>([
  ["a value", { minipcMac: "a" }, { minipcMac: "b" }, ["minipcMac: a → b"]],
  ["a key that came", {}, { talosConfig: "c" }, ["talosConfig: unset → c"]],
  ["one that went", { talosConfig: "c" }, {}, ["talosConfig: c → unset"]],
  ["the digest of all", { key: "1", a: "x" }, { key: "2", a: "x" }, []],
  [
    "inside",
    { base: { sha256: "ab".repeat(32) } },
    { base: { sha256: "cd".repeat(32) } },
    ["base/sha256: abababababab → cdcdcdcdcdcd"],
  ],
  ["a program", { code: "1" }, { code: "2" }, ["the step's program: 1 → 2"]],
  [
    "a text",
    { files: { "dnsmasq.conf": "one\ntwo\nthree\n" } },
    { files: { "dnsmasq.conf": "one\n2\n3\n" } },
    ["files/dnsmasq.conf: two → 2, and 1 more line"],
  ],
  [
    "a text, its comments last",
    { t: "# one\n  use one\n" },
    { t: "# two\n  use two\n" },
    ["t: use one → use two, and 1 more line"],
  ],
  [
    "a long line, from shortly before where it parts",
    { t: `${"-".repeat(90)}one` },
    { t: `${"-".repeat(90)}two` },
    [`t: …${"-".repeat(32)}one → …${"-".repeat(32)}two`],
  ],
  ["a text that grew", { t: "one\n" }, { t: "one\ntwo\n" }, ["t: nothing → two"]],
])("what differs: %s", (_what, before, now, told) => {
  expect(differences(before, now)).toEqual(told);
});

const last = { input: { mac: "a" }, seconds: 2.34 };

const runs = { runs: true, isMade: false, last };

test.each([
  ["that Pulumi leaves alone", { ...runs, input: { mac: "a" }, runs: false }, { what: "reused", why: [] }],
  [
    "that Pulumi leaves alone, though nobody remembers its run",
    { input: { mac: "a" }, runs: false, isMade: false },
    { what: "reused", why: [] },
  ],
  [
    "made for these inputs before",
    { ...runs, input: { mac: "b" }, isMade: true },
    { what: "reused", why: [] },
  ],
  ["changed", { ...runs, input: { mac: "b" } }, { what: "runs", why: ["mac: a → b"], seconds: 2.34 }],
  [
    "gone from disk",
    { ...runs, input: { mac: "a", unset: undefined }, missing: "x.raw is missing or was altered" },
    { what: "runs", why: ["x.raw is missing or was altered"], seconds: 2.34 },
  ],
  [
    "never run",
    { ...runs, input: { mac: "a" }, last: undefined },
    { what: "runs", why: ["it has not run here yet"] },
  ],
  ["behind one that runs", { ...runs }, { what: "follows", why: [], seconds: 2.34 }],
  [
    "of another secret alone, or of a stack that was destroyed",
    { ...runs, input: { key: "2", mac: "a" }, last: { ...last, input: { key: "1", mac: "a" } } },
    { what: "runs", why: ["one of its secrets changed, or it is new to the stack"], seconds: 2.34 },
  ],
])("a part %s", (_what, part, told) => {
  expect(verdict({ name: "p", ...part })).toEqual({ name: "p", ...told });
});

test("the table", () => {
  expect(
    explanation([
      { name: "services-check", what: "runs", why: ["a: 1 → 2", "b: 3 → 4"], seconds: 0.61 },
      { name: "base-packer", what: "reused", why: [] },
      { name: "appliance-assembly", what: "follows", why: [], seconds: 2.3 },
      { name: "rehearsal-boot", what: "follows", why: [] },
    ]),
  ).toMatchInlineSnapshot(`
   "What is reused and what runs, and how long each part took here last time:
     services-check      runs     0.6 s          a: 1 → 2
                                                 b: 3 → 4
     base-packer         reused
     appliance-assembly  follows  2.3 s          a part before it changes
     rehearsal-boot      follows  not timed yet  a part before it changes
   About 2.9 s if all of these run, and 1 not timed here yet."
  `);
  expect(explanation([{ name: "base-packer", what: "reused", why: [] }])).toBe(
    "Every part is reused: base-packer.",
  );
});

test("minutes are shown as minutes", () => {
  expect(explanation([{ name: "base-packer", what: "runs", why: ["x"], seconds: 130 }])).toContain(
    "About 2 min if all",
  );
});

test("a token in a URL that an earlier version remembered is not shown", () => {
  const [before, now] = [{ url: "https://h/x.iso?sig=hunter2" }, { url: "https://h/x.iso" }];
  expect(differences(before, now)).toEqual(["url: https://h/x.iso?[secret] → https://h/x.iso"]);
});
