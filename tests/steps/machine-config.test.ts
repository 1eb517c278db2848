import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { patched } from "../../steps/talos/config-patch";
import type { GeneratedConfigs } from "../../steps/talos/talos-config";
import { talosConfigs } from "../talos-configs";
import { onSmallDisk } from "../small-disk";
import { inToolEnvironment, sha256Of, tool } from "../tools";
import { runStep, testFolder } from "./run-step";

/** As much of Talos's config as the cases change. */
interface MachineConfig {
  machine: { type: string; install: { image: string }; [key: string]: unknown };
  cluster: { controlPlane: { endpoint: string } };
}

const folder = testFolder();
const ageKeyFile = join(folder, "age.key");
let recipient: string;
let plain: string;
let made: GeneratedConfigs;
let number = 0;

beforeAll(async () => {
  await tool("age-keygen", ["-o", ageKeyFile]);
  recipient = (await tool("age-keygen", ["-y", ageKeyFile])).trim();
  made = await talosConfigs();
  plain = made.controlplane;
});

async function encrypted(text: string): Promise<string> {
  const place = join(folder, `case-${++number}`);
  mkdirSync(place);
  const path = join(place, "controlplane.yaml");
  writeFileSync(path, text);
  await tool("sops", ["encrypt", "--in-place", "--age", recipient, path]);
  return path;
}

/** An encrypted config in which something was changed. */
async function changed(change: (config: MachineConfig) => void): Promise<string> {
  const config = parse(plain) as MachineConfig;
  change(config);
  return encrypted(stringify(config));
}

const request = (path: string, more: object = {}) => ({
  path,
  ageKeyFile,
  allowPlaintext: false,
  talosVersion: "v1.11.6",
  minipcIp: "10.10.10.100",
  minipcMac: "52:54:00:12:34:56",
  applianceCidr: "10.10.10.2/24",
  ...more,
});

async function refused(input: object, ...words: string[]): Promise<string> {
  const { manifest, said } = await runStep("machine-config", input, { SOPS_AGE_KEY_FILE: "" });
  expect(manifest).toBeUndefined();
  for (const word of words) expect(said).toContain(word);
  expect(said.trim().split("\n")).toHaveLength(1);
  return said;
}

test("what Talos's own generator makes is accepted, and told of without its secrets", async () => {
  const timeless = plain.replace("machine:\n", "machine:\n    time:\n        disabled: true\n");
  const { manifest, said } = await runStep("machine-config", request(await encrypted(timeless)));
  expect(manifest).toMatchObject({
    timeElsewhere: "the config switches the keeping of time off",
    machineType: "controlplane",
    endpoint: "https://10.10.10.100:6443",
    installImage: "ghcr.io/siderolabs/installer:v1.11.6",
  });
  const { machine } = parse(plain) as { machine: { token: string } };
  expect(JSON.stringify(manifest) + said).not.toContain(machine.token);
});

test("what other stacks can know of the cluster is kept beside the record of the run, and old leases with it", async () => {
  const runs = join(folder, "runs");
  mkdirSync(runs);
  const path = await encrypted(plain);
  const check = (more: object) =>
    runStep("machine-config", request(path, more), { LAST_RUN: join(runs, "machine-config-check.json") });
  const { manifest } = await check({});
  expect(manifest).toMatchObject({
    cluster: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    warnings: [],
  });
  const moved = await check({ applianceCidr: "192.168.77.2/24", minipcIp: "192.168.77.100" });
  expect(moved.manifest?.warnings).toEqual([
    {
      name: "endpoint-was-a-lease",
      text: expect.stringContaining("10.10.10.100:6443 looks like an earlier") as string,
    },
  ]);
  expect(JSON.parse(readFileSync(`${runs}.cluster.json`, "utf8"))).toMatchObject({
    cluster: manifest?.cluster,
    machineType: "controlplane",
    endpoint: "https://10.10.10.100:6443",
    installImage: "ghcr.io/siderolabs/installer:v1.11.6",
    leases: ["10.10.10.100", "192.168.77.100"],
  });
});

test("the client config is decrypted too", async () => {
  const talosConfig = await encrypted(made.talosconfig);
  const { manifest } = await runStep("machine-config", request(await encrypted(plain), { talosConfig }));
  expect(manifest?.talosConfigSha256).toMatch(/^[0-9a-f]{64}$/);
});

test("what sops encrypted as binary, as it does with a file without an ending, is served as it was", async () => {
  const place = join(folder, "binary");
  mkdirSync(place);
  const written = async (name: string, text: string) => {
    const path = join(place, name);
    writeFileSync(path, text);
    await tool("sops", ["encrypt", "--in-place", "--age", recipient, path]);
    return path;
  };
  const path = await written("controlplane", plain);
  const { manifest } = await runStep(
    "machine-config",
    request(path, { talosConfig: await written("talosconfig", made.talosconfig) }),
  );
  expect(manifest).toMatchObject({
    sha256: sha256Of(plain),
    talosConfigSha256: sha256Of(made.talosconfig),
  });
});

test("a client config that is none is refused", async () => {
  const path = await encrypted(plain);
  await refused(request(path, { talosConfig: path }), `checking ${path}: it is a machine config`);
});

test("a .sops.yaml above the file, which is none or of other stores, has no part in it", async () => {
  const path = await encrypted(plain);
  writeFileSync(join(folder, ".sops.yaml"), "stores: 5\n");
  const { manifest } = await runStep("machine-config", request(path)).finally(() =>
    rmSync(join(folder, ".sops.yaml")),
  );
  expect(manifest?.machineType).toBe("controlplane");
});

test.each([
  ["misspelt", (place: string) => join(place, "age.kye"), "no such file"],
  ["a folder", (place: string) => place, "it is a folder"],
])("an age key file that is %s is said as that", async (_what, keyIn, words) => {
  const file = keyIn(folder);
  await refused(
    request(await encrypted(plain), { ageKeyFile: file }),
    `ageKeyFile is ${file}, and of that file: ${words}`,
  );
});

test("no plaintext is left behind", async () => {
  // A place in memory of its own: in the machine's lies what steps of other tests left that were killed.
  const alone = onSmallDisk(8192, "/dev/shm", [
    "sh",
    "-c",
    "steps/run machine-config >/dev/null && ls -A /dev/shm",
  ]);
  const input = JSON.stringify(request(await encrypted(plain)));
  const { exitCode, stdout } = await inToolEnvironment(...alone, { input });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
});

test("a missing file: what makes it", async () => {
  const path = join(folder, "none.yaml");
  await refused(request(path), path, "no such file", "npm run new", "config/README.md", "set machineConfig");
});

test("a plain file is refused, unless it is allowed", async () => {
  const path = join(folder, "plain.yaml");
  writeFileSync(path, plain);
  await refused(request(path), "not encrypted by sops", "config/README.md", "allowPlaintextSecrets true");
  const { manifest } = await runStep("machine-config", request(path, { allowPlaintext: true }));
  expect(manifest?.machineType).toBe("controlplane");
});

test("without the key: where to set it", async () => {
  const other = join(folder, "other.key");
  await tool("age-keygen", ["-o", other]);
  const input = request(await encrypted(plain), { ageKeyFile: other });
  await refused(input, "no key on this machine opens it (sops: ", "did not match", "ageKeyFile");
});

test("a file altered after it was encrypted", async () => {
  const path = await encrypted(plain);
  writeFileSync(path, readFileSync(path, "utf8").replace(/^version: .*$/m, "version: v1alpha2"));
  await refused(request(path), "it was altered after it was encrypted");
});

test("any other reason of sops is kept, and no value that stands there in plain text", async () => {
  const path = await encrypted(plain);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/^sops:$/m, "<<<<<<< HEAD\nsops:"));
  await refused(request(path), "sops cannot read it (sops: ", "yaml: line", "marks of a merge");
  writeFileSync(path, text.replace(/^(version: ).*$/m, "$1hunter2"));
  expect(await refused(request(path), "does not match sops' data format")).not.toContain("hunter2");
});

test("a key that Talos does not know is named, values are not", async () => {
  const path = await changed((config) => (config.machine.sekrits = "hunter2\n\nhunter2: x\n"));
  const said = await refused(request(path), "Talos refuses it", "sekrits", `sops edit ${path}`);
  expect(said).not.toContain("hunter2");
});

test.each<[string, (config: MachineConfig) => void, object, string[]]>([
  [
    "the appliance as endpoint",
    (config) => (config.cluster.controlPlane.endpoint = "https://10.10.10.2:6443"),
    {},
    ["is the appliance, which goes away", "10.10.10.100"],
  ],
  [
    "an endpoint on the isolated link that nobody has",
    (config) => (config.cluster.controlPlane.endpoint = "https://10.10.10.77:6443"),
    {},
    ["neither minipcIp 10.10.10.100 nor a vip"],
  ],
  [
    "an installer of another version",
    (config) => (config.machine.install.image = "ghcr.io/siderolabs/installer:v1.10.1"),
    {},
    ["installer:v1.10.1", "not of talosVersion v1.11.6"],
  ],
  [
    "a static address that is not the lease",
    (config) =>
      (config.machine.network = {
        interfaces: [{ deviceSelector: { busPath: "0*" }, addresses: ["10.10.10.50/24"] }],
      }),
    {},
    ["gives it 10.10.10.50", "minipcIp is 10.10.10.100"],
  ],
  ["a type that Talos does not have", (config) => (config.machine.type = "master"), {}, ["master"]],
])("%s is refused", async (_what, change, more, words) => {
  await refused(request(await changed(change), more), ...words);
});

test("a NIC of another MAC causes a warning, with the name that acceptWarnings takes", async () => {
  const path = await changed(
    (config) =>
      (config.machine.network = {
        interfaces: [{ deviceSelector: { hardwareAddr: "52:54:00:aa:aa:aa" }, dhcp: true }],
      }),
  );
  const { manifest } = await runStep("machine-config", request(path));
  expect(manifest?.warnings).toEqual([
    {
      name: "other-nic",
      text: expect.stringContaining("selects the NIC hardwareAddr 52:54:00:aa:aa:aa") as string,
    },
  ]);
});

test("a config that strands the mini-PC is refused, with what will happen and what to write", async () => {
  const path = await changed(
    (config) =>
      (config.machine.network = {
        interfaces: [
          { deviceSelector: { hardwareAddr: "52:54:00:12:34:56" }, addresses: ["192.168.1.20/24"] },
        ],
      }),
  );
  await refused(
    request(path),
    "has no address on the isolated link",
    "192.168.1.20/24 without DHCP",
    "Write dhcp: true",
  );
});

test("a partial config, which has Talos report to Omni, is accepted, and its join token is not shown", async () => {
  const runs = join(folder, "part");
  mkdirSync(runs);
  const path = await encrypted(
    "apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: https://omni.example.org:8090/?jointoken=hunter2\n",
  );
  const { manifest, said } = await runStep("machine-config", request(path), {
    LAST_RUN: join(runs, "machine-config-check.json"),
  });
  expect(manifest).toMatchObject({ machineType: "", endpoint: "", cluster: "", warnings: [] });
  expect(said + JSON.stringify(manifest) + readFileSync(`${runs}.cluster.json`, "utf8")).not.toContain(
    "hunter2",
  );
});

test("a worker may have its endpoint elsewhere on the link", async () => {
  const text = made.worker.replace("https://10.10.10.100:6443", "https://10.10.10.7:6443");
  const { manifest } = await runStep("machine-config", request(await encrypted(text)));
  expect(manifest?.machineType).toBe("worker");
});

test.each(["v1.9.5", "v1.11.6", "v1.14.1"])(
  "for an offline stack of %s the mirrors are added, the release's own loader accepts that, and its digest counts",
  async (talosVersion) => {
    const { controlplane } = await talosConfigs({ talosVersion });
    const input = request(await encrypted(controlplane), { talosVersion, uplink: false });
    const plainly = (await runStep("machine-config", input)).manifest;
    expect(plainly).toMatchObject({ images: [], mirrorPatch: "", sha256: sha256Of(controlplane) });
    const extraImages = ["quay.io/cilium/cilium:v1.18.1"];
    const { manifest } = await runStep("machine-config", { ...input, offline: true, extraImages });
    const { images, mirrorPatch, sha256, warnings } = manifest as Record<string, string & string[]>;
    expect(images).toEqual(
      expect.arrayContaining([`ghcr.io/siderolabs/installer:${talosVersion}`, ...extraImages]),
    );
    expect(mirrorPatch).toContain("http://10.10.10.2:5000/v2/quay.io");
    expect(sha256).toBe(sha256Of(patched(controlplane, mirrorPatch!)));
    expect(warnings).toEqual([]);
  },
);
