import { checkConfig } from "../../stack/config";
import { nextSteps, type Made } from "../../components/next-steps";

const SHA256 = "ab".repeat(32);
const image = { path: "artifacts/bootstrap/2025-12-17/nuc1.raw", sha256: SHA256, bytes: 1 };
const rehearsal = {
  timeline: "artifacts/rehearsal/nuc1/0123456789abcdef0123/timeline.html",
  accelerator: "tcg" as const,
  seconds: 60,
  steps: [],
  proved: [],
};
const made: Made = {
  stack: "nuc1",
  image,
  rehearsal,
  checked: { machineType: "controlplane", endpoint: "https://10.10.10.100:6443" },
  starters: [],
};
const config = (more: Record<string, string> = {}) =>
  checkConfig({ bootstrapVersion: "2025-12-17", minipcMac: "52:54:00:12:34:56", ...more }, "nuc1", [], {});

test("short lines, the checksum whole on a line of its own", () => {
  expect(nextSteps(made, config())).toMatchSnapshot();
});

test("no line is wider than a terminal, whatever was made", () => {
  const zipped = { ...image, path: `${image.path}.zst` };
  for (const each of [
    nextSteps(made, config()),
    nextSteps({ ...made, compressed: zipped, rehearsal: "not rehearsed" }, config({ compress: "zstd" })),
    nextSteps({ ...made, starters: ["nuc2"] }, config()),
    nextSteps({ ...made, checked: { machineType: "", endpoint: "" } }, config()),
    nextSteps({ ...made, checked: { machineType: "worker", endpoint: "https://talos.example" } }, config()),
  ])
    for (const line of each) expect(line.length).toBeLessThanOrEqual(80);
});

test("an offline stack's images come from the appliance, which is said before a move and before the VM is deleted", () => {
  const away = { ...made, checked: { ...made.checked, endpoint: "https://192.168.1.50:6443" } };
  const said = (more: Record<string, string>) => nextSteps(away, config(more));
  const at = (words: string) => said({ offline: "true" }).findIndex((line) => line.includes(words));
  expect(said({}).join()).not.toContain("docs/offline.md");
  expect(at("docs/offline.md")).toBeGreaterThan(at("Power on"));
  expect(at("docs/offline.md")).toBeLessThan(at("docs/lasting-network.md"));
  expect(at("docs/offline.md")).toBeLessThan(at("delete the VM and the image"));
  for (const line of said({ offline: "true" })) expect(line.length).toBeLessThanOrEqual(80);
});

test("the route of a desk is ready to be pasted, but for the address that only the appliance knows", () => {
  const said = nextSteps(made, config({ operatorNetwork: "192.168.1.0/24" }));
  for (const line of said) expect(line.length).toBeLessThanOrEqual(80);
  const at = said.findIndex((line) => line.startsWith("A desk in operatorNetwork"));
  expect(at).toBeGreaterThan(said.findIndex((line) => line.startsWith("Power on")));
  expect(said.slice(at + 2, at + 6)).toEqual([
    "  Linux:   sudo ip route add 10.10.10.100/32 via UPLINK",
    "  macOS:   sudo route -n add 10.10.10.100/32 UPLINK",
    "  Windows: route ADD 10.10.10.100 MASK 255.255.255.255 UPLINK",
    "It sees how far the mini-PC is at http://UPLINK/",
  ]);
  expect(nextSteps(made, config()).join()).not.toContain("UPLINK");
});

/** What is said of starting the cluster. */
const bootstrap = (given: Partial<Made>, more: Record<string, string> = {}) =>
  nextSteps({ ...made, ...given }, config(more)).filter((line) => /Never bootstrap|npm run node/.test(line));

test("only the first control plane is bootstrapped", () => {
  expect(bootstrap({})).toEqual(["  npm run node -- --stack nuc1 --bootstrap"]);
  const never = [
    expect.stringMatching(/^Never bootstrap it: it joins/),
    "  npm run node -- --stack nuc1 --talosconfig FILE",
  ];
  expect(bootstrap({ checked: { ...made.checked, machineType: "worker" } })).toEqual(never);
  expect(bootstrap({}, { joins: "true" })).toEqual(never);
});

test("a partial config says itself what comes next, and is not bootstrapped", () => {
  const part = { machineType: "", endpoint: "" };
  expect(bootstrap({ checked: part })).toEqual([]);
  expect(nextSteps({ ...made, checked: part }, config())).toEqual(
    expect.arrayContaining([expect.stringMatching(/^Its machine config is partial/)]),
  );
});

test("if another stack may have started the cluster, the steps say so first", () => {
  const said = nextSteps({ ...made, starters: ["nuc2", "nuc3"] }, config());
  const from = said.findIndex((line) => line.includes("nuc2"));
  expect(said.slice(from, from + 6)).toEqual([
    "Its cluster is also that of nuc2, nuc3.",
    "If one of them was bootstrapped, set joins to true here: etcd would be split.",
    "If none was, set joins to true there.",
    "This starts its cluster, once, from where 10.10.10.100 is reached",
    "  (docs/runbook.md, part 7), and follows it until it is a Ready node:",
    "  npm run node -- --stack nuc1 --bootstrap",
  ]);
});

test("the first machine of a cluster that is reached elsewhere moves there before the bootstrap", () => {
  const said = (endpoint: string, more: Record<string, string> = {}) =>
    nextSteps({ ...made, checked: { ...made.checked, endpoint } }, config(more)).filter((line) =>
      /lasting-network|npm run node/.test(line),
    );
  const moves = [
    "  (docs/lasting-network.md): https://192.168.1.50:6443",
    "  npm run node -- --stack nuc1 --bootstrap --address ADDRESS",
  ];
  expect(said("https://192.168.1.50:6443")).toEqual(moves);
  expect(said("https://talos.example:6443")).toHaveLength(2);
  // A vip on the link, and a machine that joins.
  expect(said("https://10.10.10.7:6443")).toHaveLength(1);
  expect(said("https://192.168.1.50:6443", { joins: "true" })).toHaveLength(1);
});
