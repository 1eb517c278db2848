import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import execa from "execa";
import { stringify } from "yaml";
import { checkConfig } from "../../stack/config";
import { ConfigError } from "../../stack/config/fault";
import {
  misreadFaults,
  readStackFile,
  sharedByStacks,
  sharedImage,
  stackFiles,
} from "../../stack/stack-files";
import { clustersApart, startersOf } from "../../steps/talos/clusters";
import { readStackText } from "../../stack/stack-text";

const folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(stack: string, given: Record<string, string>): void {
  const config = Object.fromEntries(
    Object.entries(given).map(([key, value]) => [`bootstrap-pxe:${key}`, value]),
  );
  writeFileSync(join(folder, `Pulumi.${stack}.yaml`), stringify({ config }));
}

beforeAll(() => {
  write("demo", { minipcMac: "52:54:00:00:00:01" });
  write("example", { minipcMac: "00:11:22:33:44:55" });
  write("nuc1", { minipcMac: "52:54:00:00:00:01", artifactName: "nuc1" });
  write("nuc2", { minipcMac: "52-54-00-00-00-02", artifactName: "nuc2" });
  write("nuc3", { minipcMac: "52:54:00:00:00:03", minipcIp: "10.10.10.101", artifactName: "nuc3" });
  write("retry", { minipcMac: "525400000003".replace(/..(?!$)/g, "$&:"), minipcIp: "10.10.10.101" });
  write("away", { minipcMac: "52:54:00:00:00:05", applianceCidr: "10.10.10.2/16" });
  writeFileSync(join(folder, "Pulumi.broken.yaml"), "config: [");
  writeFileSync(join(folder, "Pulumi.empty.yaml"), "");
});

/** What a key's value is read as, and what Pulumi hands over where that is something else. */
function read(key: string, written: string) {
  const { given, misread } = readStackText(`config:\n  bootstrap-pxe:${key}: ${written}\n`);
  return [given[key], misread[0]?.value];
}

// The values are those that Pulumi 3.248 hands over (pulumi config --json).
test.each([
  ["1.10", "1.1"],
  ["0123", "83"],
  ["089", "89"],
  ["2025_12", "202512"],
  ["12e3", "12000"],
  ["0x1F", "31"],
  ["0o17", "15"],
  ["0b11", "3"],
  ["+5", "5"],
  ["-0", "0"],
  [".5", "0.5"],
  ["1.0", "1"],
  ["True", "true"],
  ["18446744073709551616", "18446744073709552000"],
  ["2025-12-17", "2025-12-17 00:00:00 +0000 UTC"],
  ["2001-1-1", "2001-01-01 00:00:00 +0000 UTC"],
])("%s without quotes is not what Pulumi hands over: %s", (written, value) => {
  expect(read("bootstrapVersion", written)).toEqual([written, value]);
  expect(read("bootstrapVersion", `"${written}"`)).toEqual([written, undefined]);
  expect(read("bootstrapVersion", `!!str ${written}`)).toEqual([written, undefined]);
});

test.each([
  "20251217",
  "1.5",
  "yes",
  "on",
  "52:54:00",
  "52:54:00:12:34:56",
  "v1.11.6",
  "1234567890123456789",
  "1.10.2",
  "a b",
])("%s without quotes is what Pulumi hands over", (written) => {
  expect(read("bootstrapVersion", written)).toEqual([written, undefined]);
});

test("what means the same is no fault: True of a flag, and a value that is not there", () => {
  expect(read("uplink", "True")).toEqual(["true", undefined]);
  for (const nothing of ["", "~", "null"]) expect(read("isoUrl", nothing)).toEqual(["", undefined]);
});

test("a key has its namespace or has none, as Pulumi reads it; the last one of two counts", () => {
  const text = "config:\n  bucket: &name one\n  bootstrap-pxe:config:region: *name\n  other:endpoint: two\n";
  expect(readStackText(text).given).toEqual({ bucket: "one", region: "one" });
  const twice = "config:\n  bootstrapVersion: 1.10\n  bootstrap-pxe:bootstrapVersion: b\n";
  expect(readStackText(twice)).toEqual({ given: { bootstrapVersion: "b" }, misread: [] });
  expect(readStackText("config:\n  upstreamDns: [9.9.9.9, 1.1.1.1]\n").given).toEqual({
    upstreamDns: '["9.9.9.9","1.1.1.1"]',
  });
});

test("such a value is refused in one line that shows it in quotes, with whatever else is wrong, unless it comes from elsewhere", () => {
  writeFileSync(
    join(folder, "Pulumi.misread.yaml"),
    "config:\n  bootstrapVersion: 1.10\n  minipcMac: none\n",
  );
  const file = readStackFile(folder, "misread");
  rmSync(join(folder, "Pulumi.misread.yaml"));
  const given = { bootstrapVersion: "1.1", minipcMac: "none" };
  const check = () => checkConfig(given, "misread", [], {}, misreadFaults(file, given));
  expect(check).toThrow(ConfigError);
  expect(check).toThrow(
    '  bootstrapVersion = "1.1": YAML reads 1.10 as this value. Right: bootstrapVersion: "1.10"\n',
  );
  expect(check).toThrow('minipcMac = "none": not a MAC address of 6 bytes');
  expect(misreadFaults(file, { bootstrapVersion: "2" })).toEqual([]);
});

test("stacks with one MAC, or with one lease on one link, are told of; the demo and the example are not", () => {
  expect(sharedByStacks(stackFiles(folder))).toEqual([
    expect.stringContaining("The stacks nuc3 and retry have the same minipcMac 52:54:00:00:00:03"),
    expect.stringContaining("The stacks nuc1 and nuc2 have the same minipcIp 10.10.10.100 on 10.10.10.0/24"),
  ]);
});

test("appliances with one fixed address on the uplink are told of, unless their stacks serve one mini-PC or nobody", () => {
  const withUplink = (
    stack: string,
    mac: string,
    uplinkCidr: string,
    others: Record<string, string> = {},
  ) => {
    write(stack, { minipcMac: mac, minipcIp: `10.10.10.1${mac.slice(-2)}`, uplinkCidr, ...others });
    const file = readStackFile(folder, stack);
    rmSync(join(folder, `Pulumi.${stack}.yaml`));
    return file;
  };
  const one = withUplink("one", "52:54:00:00:00:11", "192.168.1.5/24");
  const said = (...others: ReturnType<typeof withUplink>[]) => sharedByStacks([one, ...others]);
  // On one wire, the length of the prefix makes no other address of it.
  expect(said(withUplink("two", "52:54:00:00:00:12", "192.168.1.5/16"))).toEqual([
    "The stacks one and two have the same address 192.168.1.5 on the uplink (uplinkCidr): only one of their appliances can be " +
      "on that network at a time. Set another address, or shut down the first appliance before the next one starts.",
  ]);
  expect(said(withUplink("two", "52:54:00:00:00:12", "192.168.1.6/24"))).toEqual([]);
  expect(said(withUplink("two", "52:54:00:00:00:12", "192.168.1.5/24", { uplink: "false" }))).toEqual([]);
  expect(said(withUplink("two", "none", "192.168.1.5/24"))).toEqual([]);
  expect(said(withUplink("two", "52:54:00:00:00:12", "192.168.1.5"))).toEqual([]);
  expect(said(withUplink("two", "52:54:00:00:00:11", "192.168.1.5/24"))).toEqual([
    expect.stringContaining("have the same minipcMac 52:54:00:00:00:11"),
  ]);
});

test("a stack gets only the warnings that concern it", () => {
  expect(sharedByStacks(stackFiles(folder), "nuc2")).toEqual([
    expect.stringContaining("The stacks nuc1 and nuc2"),
  ]);
  expect(sharedByStacks(stackFiles(folder), "away")).toEqual([]);
});

test("two stacks that would make the same image are found, whatever else differs", () => {
  const files = stackFiles(folder);
  expect(sharedImage(files.filter(({ stack }) => /^nuc/.test(stack)))).toBeUndefined();
  expect(sharedImage(files.filter(({ stack }) => ["away", "nuc1", "retry"].includes(stack)))).toEqual({
    image: "artifacts/bootstrap//bootstrap-pxe.raw",
    stacks: ["away", "retry"],
  });
});

test("a cluster may have been started by another control plane that does not join, and whose stack still exists", () => {
  const checked = (stack: string, record: object) => {
    const runs = join(folder, "artifacts/cache/runs", stack);
    mkdirSync(dirname(runs), { recursive: true });
    const known = { cluster: "home", machineType: "controlplane", ...record };
    writeFileSync(`${runs}.cluster.json`, JSON.stringify(known));
  };
  for (const stack of ["nuc1", "nuc2", "gone", "demo"]) checked(stack, {});
  const nuc3 = { minipcMac: "52:54:00:00:00:03", minipcIp: "10.10.10.101", artifactName: "nuc3" };
  checked("nuc3", {});
  expect(startersOf("home", "nuc1", folder)).toEqual(["nuc2", "nuc3"]);
  // What its file says counts at once, before anything checks it again.
  write("nuc3", { ...nuc3, joins: "true" });
  checked("retry", { machineType: "worker" });
  checked("away", { cluster: "elsewhere" });
  expect(startersOf("home", "nuc1", folder)).toEqual(["nuc2"]);
  expect(startersOf("elsewhere", "nuc1", folder)).toEqual(["away"]);
  expect(startersOf("elsewhere", "away", folder)).toEqual([]);
  // Parts of configs name no cluster.
  for (const stack of ["nuc1", "nuc2"]) checked(stack, { cluster: "", machineType: "" });
  expect(startersOf("", "nuc1", folder)).toEqual([]);
});

test("stacks with one endpoint and different secrets are told of as separate clusters", () => {
  const checked = (stack: string, cluster: string, endpoint: string) =>
    writeFileSync(
      join(folder, "artifacts/cache/runs", `${stack}.cluster.json`),
      JSON.stringify({ cluster, endpoint, machineType: "controlplane" }),
    );
  checked("nuc1", "home", "https://talos.home.arpa:6443");
  checked("nuc2", "home", "https://talos.home.arpa:6443");
  checked("nuc3", "another", "https://talos.home.arpa:6443");
  checked("away", "elsewhere", "https://talos.away.example:6443");
  expect(clustersApart(undefined, folder)).toEqual([
    expect.stringMatching(
      /^The stacks nuc1, nuc2 and nuc3 have the endpoint https:\/\/talos\.home\.arpa:6443, and different secrets/,
    ),
  ]);
  expect(clustersApart("away", folder)).toEqual([]);
  checked("nuc3", "home", "https://talos.home.arpa:6443");
  expect(clustersApart(undefined, folder)).toEqual([]);
});

test("the stack files that this project commits have no salt of one checkout", () => {
  for (const stack of ["demo", "lab"]) {
    const { stdout } = execa.sync("git", ["show", `HEAD:Pulumi.${stack}.yaml`], {
      cwd: join(__dirname, "../.."),
    });
    expect(stdout).toMatch(/^config:/m);
    expect(stdout).not.toContain("encryptionsalt");
  }
});
