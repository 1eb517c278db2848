import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { MockResourceArgs } from "@pulumi/pulumi/runtime";
import { SHOWN_FIRST } from "../../steps/frame/progress";
import { compile } from "../../tools/compile.cjs";
import { narrowLine } from "../../tools/setup/outcome.cjs";
import { TOP } from "../tools";
import { IMAGE, MANIFESTS, OFFLINE, SHA256 } from "./manifests";

beforeAll(compile);

const CONSOLE_HASH = "$2a$10$hash";

const folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
beforeAll(() => file("encrypted.yaml", "machine: ENC[x]\nsops:\n    version: 3.11.0\n"));
afterAll(() => rmSync(folder, { recursive: true }));

type Values = Record<string, unknown>;
type Registered = Omit<MockResourceArgs, "inputs"> & { inputs: Values };

let registered: Registered[];

/** Answers as the plugins would; what it does not know, it refuses. */
function mock(args: Registered): { id: string; state: Values } {
  registered.push(args);
  if (args.type.startsWith("pxe:part:")) return { id: args.name, state: args.inputs };
  if (args.type === "random:index/randomPassword:RandomPassword")
    return { id: "none", state: { ...args.inputs, result: "password", bcryptHash: CONSOLE_HASH } };
  if (args.type === "pulumi:providers:aws" || args.type === "aws:s3/bucketObjectv2:BucketObjectv2")
    return { id: args.name, state: args.inputs };
  const manifest = MANIFESTS[args.name];
  const { stdin } = args.inputs as { stdin?: string };
  const given = args.name === "config-check" ? (JSON.parse(String(stdin)) as Values) : {};
  if (args.type !== "command:local:Command" || !manifest)
    throw new Error(`no mock for ${args.type} ${args.name}`);
  return {
    id: args.name,
    state: {
      ...args.inputs,
      stdout: JSON.stringify({
        ...manifest,
        ...(Boolean(given.talosConfig) && { talosConfigSha256: "c".repeat(64) }),
        ...(given.offline === true && OFFLINE),
      }),
      stderr: "",
    },
  };
}

/** Runs the program for a config; returns its outputs. */
async function run(config: Record<string, string>): Promise<Record<string, unknown>> {
  registered = [];
  await pulumi.runtime.setMocks(
    {
      newResource: mock,
      call: ({ token }) => {
        throw new Error(`no mock for the call ${token}`);
      },
    },
    "bootstrap-pxe",
    "lab",
  );
  const all = {
    bootstrapVersion: "1",
    minipcMac: "00:11:22:33:44:66",
    machineConfig: join(folder, "encrypted.yaml"),
    ...config,
  };
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(all).map(([key, value]) => [`bootstrap-pxe:${key}`, value])),
  );
  const { default: program } = (await import("../../index")) as unknown as { default: () => Promise<object> };
  const outputs = await program();
  const settled = pulumi.output(outputs) as unknown as { promise(): Promise<Record<string, unknown>> };
  return settled.promise();
}

const step = (name: string) => registered.find((resource) => resource.name === name)?.inputs as Values;
const stdinOf = (name: string) => JSON.parse(step(name).stdin as string) as Values;

test("its outputs are those that docs/config.md names", async () => {
  const outputs = await run({});
  const always = ["consolePassword", "imageBytes", "imagePath", "imageSha256", "nextSteps", "rehearsal"];
  expect(Object.keys(outputs).sort()).toEqual(always);
  expect(Object.keys(await run({ compress: "zstd" })).sort()).toEqual(["compressedPath", ...always]);
  expect(outputs).toMatchObject({
    imagePath: "appliance.raw",
    imageSha256: SHA256,
    rehearsal: "A virtual mini-PC booted from it in 60 s, 0 proofs held: timeline.html",
  });
});

test("an offline stack has a layer of the images that its config needs, and its config a patch", async () => {
  const outputs = await run({ offline: "true", extraImages: "busybox" });
  expect(outputs).toMatchObject({ servedImages: [IMAGE.reference], mirrorPatch: OFFLINE.mirrorPatch });
  expect(stdinOf("config-check")).toMatchObject({ offline: true, extraImages: ["busybox"] });
  expect(stdinOf("images-digests")).toMatchObject({ images: [IMAGE.reference] });
  const { key, path, images } = stdinOf("images-layer");
  expect({ path, images }).toEqual({
    path: `artifacts/cache/images/${String(key)}/images.squashfs`,
    images: [IMAGE],
  });
  expect(stdinOf("appliance-assembly")).toMatchObject({ mirrorPatch: "machine: {}\n" });
  await run({});
  expect(registered.map(({ name }) => name)).not.toContain("images-layer");
});

test("a release whose loader is not known causes a warning before anything is made", async () => {
  const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
  await run({ talosVersion: "v1.14.0-beta.1" });
  expect(warn).not.toHaveBeenCalled();
  await run({ talosVersion: "v1.15.0" });
  expect(warn.mock.calls.map(([line]) => line)).toEqual([
    expect.stringMatching(/Talos v1\.15\.0.* by the loader of Talos v1\.14\./),
  ]);
  warn.mockRestore();
});

test("the image that was made is the one that is rehearsed, and is checked against the config that was decrypted", async () => {
  await run({ consoles: "tty0,ttyS1" });
  expect(stdinOf("rehearsal-boot")).toMatchObject({
    image: { path: "appliance.raw", sha256: SHA256 },
    configSha256: SHA256,
    timeElsewhere: "the config names time servers",
    subject: { minipcMac: "00:11:22:33:44:66", hasSerialConsole: true, hasUplink: true },
  });
});

test("a source's signature is a secret of its fetch alone, and another signature changes nothing else", async () => {
  const env = ["BOOTSTRAP_PXE_ISO_URL", "BOOTSTRAP_PXE_BASE_URL"] as const;
  const registeredWith = async (signature: string) => {
    for (const name of env) process.env[name] = `https://mirror.example/file?sig=${signature}`;
    await run({ isoSha256: SHA256, baseSha256: SHA256 });
    const secrets = ["talos-fetch", "base-fetch"].map((name) => {
      // A mock is given what has a secret in it as a secret whole.
      const { value } = step(name).environment as { value: Values };
      const { URL_QUERY, ...others } = value;
      step(name).environment = others;
      return URL_QUERY;
    });
    // That a file is missing is told with the time.
    const others = JSON.stringify(registered).replace(/seen \d{4}-[^"]*/g, "");
    return { secrets, others };
  };
  try {
    const one = await registeredWith("hunter2");
    expect(one.secrets).toEqual(["?sig=hunter2", "?sig=hunter2"]);
    expect(one.others).not.toContain("hunter2");
    expect(one.others).toContain("https://mirror.example/file");
    const two = await registeredWith("another");
    expect(two.secrets).toEqual(["?sig=another", "?sig=another"]);
    expect(two.others).toBe(one.others);
  } finally {
    for (const name of env) delete process.env[name];
  }
});

test("each source of an ISO has a path of its own; that of the release is the plain one", async () => {
  const schematic = "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515";
  const fetched = async (config: Record<string, string>) => {
    await run(config);
    return stdinOf("talos-fetch") as { url: string; path: string; isUnlisted: boolean };
  };
  const release = "https://github.com/siderolabs/talos/releases/download/v1.11.6/metal-amd64.iso";
  for (const config of [{}, { isoUrl: release }] as Record<string, string>[])
    expect(await fetched(config)).toMatchObject({
      url: release,
      path: "artifacts/talos/v1.11.6/metal-amd64.iso",
      isUnlisted: false,
    });
  const factory = await fetched({ talosSchematic: schematic });
  expect(factory).toMatchObject({
    url: `https://factory.talos.dev/image/${schematic}/v1.11.6/metal-amd64.iso`,
    isUnlisted: true,
  });
  const mirror = await fetched({
    isoUrl: "https://mirror.example/metal-amd64.iso",
    talosSchematic: schematic,
  });
  expect(mirror).toMatchObject({ url: "https://mirror.example/metal-amd64.iso", isUnlisted: false });
  const others = await fetched({ talosSchematic: "0".repeat(64) });
  const checked = await fetched({ isoSha256: SHA256 });
  const elsewhere = [factory, mirror, others, checked].map(({ path }) => path);
  expect(new Set(elsewhere).size).toBe(4);
  for (const path of elsewhere)
    expect(path).toMatch(/^artifacts\/talos\/v1\.11\.6\/[0-9a-f]{20}\/metal-amd64\.iso$/);
});

test("the ISO and the machine config are checked against the schematic, even where only the URL names it", async () => {
  const schematic = "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515";
  const isoUrl = `https://factory.example/image/${schematic}/v1.11.6/metal-amd64.iso`;
  for (const config of [{ talosSchematic: schematic }, { isoUrl }] as Record<string, string>[]) {
    await run(config);
    expect(stdinOf("netboot-layer").schematic).toBe(schematic);
    expect(stdinOf("config-check").schematic).toBe(schematic);
  }
});

test("the ISO's kernel line reaches the site and the rehearsal, with what the stack changes of it", async () => {
  await run({ kernelArgs: "nosmt" });
  const { files } = stdinOf("appliance-assembly") as { files: Record<string, string> };
  expect(files["boot.ipxe"]).toMatch(
    /^kernel \S+ initrd=initramfs\.xz talos\.platform=metal .* selinux=1 .* nosmt /m,
  );
  expect(stdinOf("appliance-assembly").kernelLine).toMatch(/^The kernel line is the ISO's with .* nosmt\.$/);
  const { subject } = stdinOf("rehearsal-boot") as { subject: { kernelArguments: string[] } };
  expect(subject.kernelArguments).toEqual(expect.arrayContaining(["selinux=1", "nosmt"]));
});

test("the same image is rehearsed again when something else is expected of it", async () => {
  await run({});
  const { key, path } = stdinOf("rehearsal-boot");
  await run({});
  expect(stdinOf("rehearsal-boot")).toMatchObject({ key, path });
  await run({ consoles: "ttyS0" });
  expect(stdinOf("rehearsal-boot").key).not.toBe(key);
  expect(stdinOf("rehearsal-boot").path).not.toBe(path);
});

test("switched off, nothing is rehearsed and the outputs say so", async () => {
  const { rehearsal, nextSteps } = await run({ rehearse: "false" });
  expect(rehearsal).toBe("not rehearsed");
  expect(nextSteps).toEqual(expect.arrayContaining([expect.stringContaining("has booted nothing yet")]));
  expect(registered.filter(({ name }) => name.startsWith("rehearsal"))).toEqual([]);
});

test("what is compressed is the image that booted, and the outputs name it", async () => {
  const { compressedPath, nextSteps } = await run({ compress: "gzip" });
  expect(compressedPath).toBe("appliance.raw.gz");
  expect(nextSteps).toEqual(expect.arrayContaining([expect.stringContaining("Unpack it there with gunzip")]));
  expect(stdinOf("compressed-members")).toMatchObject({
    path: "artifacts/bootstrap/1/bootstrap-pxe.raw.gz",
    image: { path: "appliance.raw", sha256: SHA256 },
    format: "gzip",
  });
  const names = registered.map(({ name }) => name);
  expect(names.indexOf("compressed-members")).toBeGreaterThan(names.indexOf("rehearsal-boot"));
});

test("a kept member is identified by its layer and the format, not by the image", async () => {
  const layersOf = () => stdinOf("compressed-members").layers;
  await run({ compress: "zstd" });
  const held = layersOf();
  await run({ compress: "zstd", minipcMac: "52:54:00:ab:cd:ef" });
  expect(layersOf()).toEqual(held);
  await run({ compress: "gzip" });
  expect(layersOf()).not.toEqual(held);
});

test("with compress none there is nothing compressed", async () => {
  const { compressedPath } = await run({});
  expect(compressedPath).toBeUndefined();
  expect(registered.filter(({ name }) => name.startsWith("compressed"))).toEqual([]);
});

describe("an upload", () => {
  const KEYS = {
    IDRIVE_BUCKET: "provisioning",
    IDRIVE_ACCESS_KEY: "the-key",
    IDRIVE_SECRET_KEY: "the-secret",
  };
  const held = { ...process.env };
  beforeEach(() => Object.assign(process.env, KEYS));
  afterEach(() => {
    process.env = { ...held };
  });
  const objects = () => registered.filter(({ type }) => type.startsWith("aws:s3/"));

  test("puts the artifact, its checksums and its manifest under the version, the artifact first", async () => {
    const { objectUri } = await run({ compress: "gzip", upload: "true" });
    expect(objectUri).toBe("s3://provisioning/bootstrap/1/appliance.raw.gz");
    expect(objects().map(({ inputs }) => [inputs.bucket, inputs.key])).toEqual([
      ["provisioning", "bootstrap/1/appliance.raw.gz"],
      ["provisioning", "bootstrap/1/SHA256SUMS"],
      ["provisioning", "bootstrap/1/manifest.json"],
    ]);
    expect(objects()[1]?.inputs.content).toBe(`${SHA256}  appliance.raw\n${SHA256}  appliance.raw.gz\n`);
    const names = registered.map(({ name }) => name);
    expect(names.indexOf("publication-image")).toBeGreaterThan(names.indexOf("rehearsal-boot"));
  });

  test("goes through a provider that is given no key", async () => {
    await run({ upload: "true", endpoint: "http://127.0.0.1:9000" });
    const provider = registered.find(({ type }) => type === "pulumi:providers:aws");
    expect(JSON.stringify(provider?.inputs)).toContain("http://127.0.0.1:9000");
    expect(JSON.stringify(registered)).not.toMatch(/the-key|the-secret/);
  });

  test("goes through one provider for each server, however the server is written", async () => {
    const providerOf = async (endpoint: string) => {
      await run({ upload: "true", endpoint });
      const { name, inputs } = registered.find(({ type }) => type === "pulumi:providers:aws") as Registered;
      return [name, (JSON.parse(inputs.endpoints as string) as { s3: string }[])[0]?.s3];
    };
    for (const endpoint of ["s3.example", "HTTPS://s3.example/", "https://S3.example:443"])
      expect(await providerOf(endpoint)).toEqual(["publication-s3-s3.example", "https://s3.example"]);
    expect(await providerOf("http://127.0.0.1:9000")).toEqual([
      "publication-s3-127.0.0.1:9000",
      "http://127.0.0.1:9000",
    ]);
  });

  test("is not made unless it is asked for", async () => {
    const { objectUri } = await run({});
    expect(objectUri).toBeUndefined();
    expect(objects()).toEqual([]);
  });
});

test("the warnings of the machine config's check are shown, except for those that acceptWarnings names", async () => {
  const said = jest.spyOn(console, "warn").mockImplementation();
  const held = MANIFESTS["config-check"]!;
  const warnings = [
    { name: "other-nic", text: "selects another NIC" },
    { name: "no-images", text: "uplink is false" },
  ];
  try {
    MANIFESTS["config-check"] = { ...held, warnings };
    await run({ acceptWarnings: "other-nic" });
    expect(said.mock.calls.flat()).toEqual([
      expect.stringContaining("uplink is false (no-images: acceptWarnings silences it)"),
    ]);
  } finally {
    MANIFESTS["config-check"] = held;
    said.mockRestore();
  }
});

test("no input of anything names the folder of the checkout: a state serves wherever the checkout is", async () => {
  await run({ compress: "gzip" });
  expect(registered.length).toBeGreaterThan(10);
  expect(registered.filter(({ inputs }) => JSON.stringify(inputs).includes(TOP))).toEqual([]);
});

test("every step runs through steps/run, none through a shell of its own", async () => {
  await run({ compress: "gzip", offline: "true" });
  const commands = registered.filter(({ type }) => type === "command:local:Command");
  expect(commands.map(({ name }) => name).sort()).toEqual(Object.keys(MANIFESTS).sort());
  for (const { inputs } of commands)
    expect(inputs.create).toMatch(/^exec steps\/run [a-z-]+( [^#\s]+)?( # .*)?$/);
});

test("the console's hash goes to one step, through the environment, and is in no other input", async () => {
  await run({});
  const holders = registered.filter(({ inputs }) => JSON.stringify(inputs).includes(CONSOLE_HASH));
  expect(holders.map(({ name }) => name)).toEqual(["appliance-assembly"]);
  expect(step("appliance-assembly").stdin).not.toContain(CONSOLE_HASH);
});

test("nothing that may change stands beside the console's hash: a plan that does not hold is told with all of it", async () => {
  await run({});
  expect(Object.keys(step("appliance-assembly").environment as object).sort()).toEqual([
    "CONSOLE_HASH",
    "LAST_RUN",
  ]);
  expect(step("appliance-assembly").create).toMatch(
    /^exec steps\/run appliance # artifacts\/\S+ is missing or was altered, as of /,
  );
});

test("a MAC reaches the site and its check, never the base or the netboot layer", async () => {
  await run({ minipcMac: "52:54:00:ab:cd:ef" });
  const holders = registered.filter(({ inputs }) => JSON.stringify(inputs).includes("52:54:00:ab:cd:ef"));
  expect(holders.map(({ name }) => name).sort()).toEqual([
    "appliance-assembly",
    "config-check",
    "rehearsal-boot",
    "services-check",
  ]);
});

test("sources default to the releases' own", async () => {
  await run({ talosVersion: "v1.12.0" });
  expect(stdinOf("talos-fetch").url).toBe(
    "https://github.com/siderolabs/talos/releases/download/v1.12.0/metal-amd64.iso",
  );
  expect(stdinOf("base-fetch").url).toMatch(
    /^https:\/\/cloud-images\.ubuntu\.com\/releases\/24\.04\/release-\d+\//,
  );
  await run({ baseSource: "autoinstall-iso" });
  expect(stdinOf("base-fetch")).toMatchObject({ kind: "iso" });
  expect(stdinOf("base-packer")).toMatchObject({ source: "autoinstall-iso" });
});

test("a client config is part of the site only when it is set", async () => {
  await run({});
  expect(stdinOf("appliance-assembly")).not.toHaveProperty("talosConfig");
  await run({ talosConfig: join(folder, "encrypted.yaml") });
  expect(stdinOf("appliance-assembly").talosConfig).toMatchObject({ path: join(folder, "encrypted.yaml") });
});

test("the accelerator changes no key: it is how a base is made, not what", async () => {
  await run({ accelerator: "tcg" });
  const slow = stdinOf("base-packer");
  await run({ accelerator: "kvm" });
  expect(stdinOf("base-packer")).toEqual(slow);
  expect(step("base-packer").environment).toMatchObject({ ACCELERATOR: "kvm" });
});

test("a config with faults makes no resource at all", async () => {
  await expect(run({ minipcIp: "10.0.0.1" })).rejects.toThrow("outside the appliance's subnet");
  expect(registered).toEqual([]);
});

test.each([
  [
    { machineConfig: "config/nobody.yaml" },
    "reading config/nobody.yaml: no such file. npm run new makes a stack with its machine config; " +
      "by hand (config/README.md): talosctl gen config … --talos-version v1.11.6; or set machineConfig",
  ],
  [{ machineConfig: "config" }, "reading config: it is a folder"],
  [{ machineConfig: "Pulumi.yaml" }, "reading Pulumi.yaml: it is not encrypted by sops"],
  [{ talosConfig: "config/talosconfig" }, "reading config/talosconfig: no such file"],
])("a preview refuses what it can see of a secret file without its key: %j", async (config, found) => {
  await expect(run(config as Record<string, string>)).rejects.toThrow(found);
  expect(registered).toEqual([]);
});

test("a plain file that is allowed is no fault", async () => {
  const plain = file("plain.yaml", "machine: {}\n");
  await run({ machineConfig: plain, allowPlaintextSecrets: "true" });
  const inputs = registered.map(({ inputs: { stdin = "{}" } }) => JSON.parse(stdin as string) as Values);
  expect(inputs).toContainEqual(expect.objectContaining({ path: plain, allowPlaintext: true }));
});

describe("a step's progress in the table of Pulumi 3.248 (pkg/backend/display/tree.go and tableutil.go)", () => {
  /** Where the column with the progress begins, once every row is there. */
  async function progressColumn(isUpdate: boolean): Promise<number> {
    await run({ compress: "gzip" });
    const rows = registered.filter(({ type }) => !isUpdate || !type.startsWith("random:"));
    const longest = (texts: string[]) => Math.max(...texts.map((text) => text.length));
    // "index" and the last part of a module's name are left out, as urn.Type().DisplayName() does.
    const shortType = (type: string) => type.replace(/^(\w+:\w+)\/\w+:/, "$1:");
    // A part is below the stack, and its commands are below the part.
    const indented = ({ type }: Registered) =>
      (type.startsWith("command:") ? "│  └─ " : "└─ ") + shortType(type);
    const status = `${isUpdate ? "updating" : "creating"} (999s)...`;
    const widths = [
      "+ ".length,
      longest(rows.map(indented)),
      longest(rows.map(({ name }) => name)),
      status.length,
    ];
    return widths.reduce((sum, width) => sum + width + 2, 1);
  }
  /** The last column of a terminal stays empty. */
  const shown = (columns: number, column: number) => columns - 1 - column;
  // What of a command may change: see `step()`.
  const CHANGED = "[diff: ~environment,stdin]; ";

  test("80 columns show the characters that lines are made for while things are made", async () => {
    expect(shown(80, await progressColumn(false))).toBe(SHOWN_FIRST);
  });

  test("a terminal that is wide enough shows them behind an update's list of changes, and another is called narrow", async () => {
    const column = await progressColumn(true);
    const wide = Array.from({ length: 200 }, (_, columns) => columns + 1).find(
      (columns) => !narrowLine(columns),
    );
    expect(shown(wide ?? 0, column) - CHANGED.length).toBeGreaterThanOrEqual(SHOWN_FIRST);
  });
});
