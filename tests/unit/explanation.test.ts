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

test.each([
  ["as before", { input: { mac: "a", unset: undefined }, isMade: false, last }, { what: "reused", why: [] }],
  ["made for these inputs before", { input: { mac: "b" }, isMade: true, last }, { what: "reused", why: [] }],
  [
    "changed",
    { input: { mac: "b" }, isMade: false, last },
    { what: "runs", why: ["mac: a → b"], seconds: 2.34 },
  ],
  [
    "gone from disk",
    { input: { mac: "a" }, isMade: false, missing: "x.raw is missing or was altered", last },
    { what: "runs", why: ["x.raw is missing or was altered"], seconds: 2.34 },
  ],
  ["never run", { input: { mac: "a" }, isMade: false }, { what: "runs", why: ["it has not run here yet"] }],
  ["behind one that runs", { isMade: false, last }, { what: "follows", why: [], seconds: 2.34 }],
  [
    "of another secret alone",
    { input: { key: "2", mac: "a" }, isMade: false, last: { ...last, input: { key: "1", mac: "a" } } },
    { what: "runs", why: ["the console's password"], seconds: 2.34 },
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
   "What is reused and what runs, with the time that each took here last:
     services-check      runs     0.6 s          a: 1 → 2
                                                 b: 3 → 4
     base-packer         reused
     appliance-assembly  follows  2.3 s          what changes before it
     rehearsal-boot      follows  not timed yet  what changes before it
   About 2.9 s if all of these run, and 1 not timed here yet."
  `);
  expect(explanation([{ name: "base-packer", what: "reused", why: [] }])).toBe(
    "Every part is reused: base-packer.",
  );
});

test("minutes are told as minutes", () => {
  expect(explanation([{ name: "base-packer", what: "runs", why: ["x"], seconds: 130 }])).toContain(
    "About 2 min if all",
  );
});
