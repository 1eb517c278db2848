import { report, tellingLine } from "../../commands/fleet-report";

test("one line a stack, and one for all", () => {
  const outcomes = [
    { stack: "nuc1", state: "done", seconds: 4.21, result: "a.raw", log: "nuc1.log" },
    { stack: "nuc10", state: "unchanged", seconds: 2, result: "b.raw", log: "nuc10.log" },
    { stack: "nuc2", state: "failed", seconds: 61.6, fault: "minipcMac is not set", log: "nuc2.log" },
  ] as const;
  expect(report("up", [...outcomes], 64.7)).toMatchInlineSnapshot(`
   "nuc1   done        4.2 s  a.raw
   nuc10  unchanged   2.0 s  b.raw
   nuc2   failed       62 s  minipcMac is not set (nuc2.log)
   up, 3 stacks: 1 done, 1 unchanged, 1 failed, in 65 s"
  `);
  expect(report("up", outcomes.slice(0, 1), 4.3)).toMatch(/up, 1 stack: 1 done, in 4\.3 s$/);
});

test.each([
  [
    'exit status 1: running "exec steps/run x":\nfetch: reading a: it is gone. Put it back\n',
    "fetch: reading a: it is gone. Put it back",
  ],
  ["fetch: no\nupdate failed\n", "fetch: no"],
  ["update failed", "update failed"],
  [
    'The config of the stack nuc1 has 2 faults:\n  minipcMac = "01:0": no MAC\n  minipcIp: unset\nSet a key with: x\n',
    'minipcMac = "01:0": no MAC; minipcIp: unset',
  ],
  ["", "it said nothing"],
])("the line that tells a person what is wrong in %j", (words, line) => {
  expect(tellingLine(words)).toBe(line);
});
