import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, join } from "node:path";
import { publish } from "../../steps/store/files";
import { patched } from "../../steps/talos/config-patch";
import { NO_PROCESS, sha256Of, tool, toolEnvironment } from "../tools";
import { runStep, testFolder } from "./run-step";
import { layersIn, requestFor } from "./small-image";

const folder = testFolder();
const CONSOLE_HASH = "$2a$10$abcdefghijklmnopqrstuuJ0q0q0q0q0q0q0q0q0q0q0q0q0q0q0q";
const env = { CONSOLE_HASH };
let request: ReturnType<typeof requestFor>;
let number = 0;

const sha256 = async (path: string) => (await tool("sha256sum", [path])).slice(0, 64);

beforeAll(async () => {
  request = requestFor(await layersIn(folder), "");
});

const newPath = () => join(folder, `out-${++number}`, "bootstrap-pxe.raw");

/** Takes the site layer out of an image again. */
async function siteOf(image: string): Promise<string> {
  const { partitiontable } = JSON.parse(await tool("sfdisk", ["--json", image])) as {
    partitiontable: { partitions: { name?: string; start: number }[] };
  };
  const site = partitiontable.partitions.find(({ name }) => name === "bootstrap-site");
  const out = `${image}.site`;
  await tool("unsquashfs", [
    "-quiet",
    "-no-progress",
    "-offset",
    String((site?.start ?? 0) * 512),
    "-dest",
    out,
    image,
  ]);
  return out;
}

test("three layers in one image, with its checksum beside it", async () => {
  const path = newPath();
  const { manifest } = await runStep("appliance", { ...request, path }, env);
  expect(manifest).toEqual({ path, sha256: await sha256(path), bytes: statSync(path).size });
  const names = (await tool("sfdisk", ["--json", path])).match(/"name": "[^"]*"/g);
  expect(names).toEqual(['"name": "bootstrap-netboot"', '"name": "bootstrap-site"']);
  await tool("sfdisk", ["--verify", path]);
  await tool("sh", ["-c", `cd ${join(path, "..")} && sha256sum --check --quiet SHA256SUMS`]);
});

test("the images of an offline stack are a layer between the netboot layer and the site; another image is as it was", async () => {
  const images = { path: join(folder, "images.squashfs"), sha256: "" };
  copyFileSync(request.netboot.path, `${images.path}.made`);
  writeFileSync(`${images.path}.made`, "images", { flag: "a" });
  images.sha256 = (await publish(`${images.path}.made`, images.path, "k")).sha256;
  const [offline, plain] = [newPath(), newPath()];
  await runStep("appliance", { ...request, images, path: offline }, env);
  await runStep("appliance", { ...request, path: plain }, env);
  const partitions = async (image: string) => {
    const { partitiontable } = JSON.parse(await tool("sfdisk", ["--json", image])) as {
      partitiontable: { partitions: { name?: string; start: number; uuid: string }[] };
    };
    return partitiontable.partitions.filter(({ name }) => name);
  };
  const [netboot, own, site] = await partitions(offline);
  expect([netboot?.name, own?.name, site?.name]).toEqual([
    "bootstrap-netboot",
    "bootstrap-images",
    "bootstrap-site",
  ]);
  const bytes = readFileSync(images.path);
  const from = (own?.start ?? 0) * 512;
  expect(
    readFileSync(offline)
      .subarray(from, from + bytes.length)
      .equals(bytes),
  ).toBe(true);
  expect((await partitions(plain)).map(({ name, start, uuid }) => ({ name, start, uuid }))).toEqual([
    { name: netboot?.name, start: netboot?.start, uuid: netboot?.uuid },
    { name: site?.name, start: own?.start, uuid: site?.uuid },
  ]);
});

test("an images layer that was touched after it was made does not get into an image", async () => {
  const path = join(folder, "touched.squashfs");
  copyFileSync(request.netboot.path, `${path}.made`);
  const { sha256: before } = await publish(`${path}.made`, path, "k");
  writeFileSync(path, "x", { flag: "a" });
  const { said } = await runStep(
    "appliance",
    { ...request, images: { path, sha256: before }, path: newPath() },
    env,
  );
  expect(said).toContain(`reading ${path}: it is not the layer that was made for this`);
});

test("how the kernel line differs from the ISO's is said while the image is made, and changes nothing of it", async () => {
  const kernelLine = "The kernel line is the ISO's without a, and with b.";
  const plain = await runStep("appliance", { ...request, path: newPath() }, env);
  const told = await runStep("appliance", { ...request, kernelLine, path: newPath() }, env);
  expect(told.said).toContain(kernelLine);
  expect(told.manifest?.sha256).toBe(plain.manifest?.sha256);
});

test("the site holds what was rendered, the secrets for their readers alone", async () => {
  const path = newPath();
  await runStep("appliance", { ...request, path }, env);
  const site = await siteOf(path);
  expect(readFileSync(join(site, "configs/minipc.yaml"), "utf8")).toBe("machine: {}\n");
  expect(readFileSync(join(site, "http/boot.ipxe"), "utf8")).toBe("#!ipxe\n");
  expect(readFileSync(join(site, "console.shadow"), "utf8").trim()).toBe(CONSOLE_HASH);
  const modes = ["configs", "configs/minipc.yaml", "console.shadow", "netplan.yaml"].map((name) =>
    (statSync(join(site, name)).mode & 0o777).toString(8),
  );
  expect(modes).toEqual(["750", "640", "600", "600"]);
  expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
});

test("the site of an offline stack has the config with its patch, which the digest is of", async () => {
  const patch = "machine:\n  registries:\n    mirrors: {}\n";
  const served = patched("machine: {}\n", patch);
  const machineConfig = { path: request.machineConfig.path, sha256: sha256Of(served) };
  const path = newPath();
  await runStep("appliance", { ...request, machineConfig, mirrorPatch: patch, path }, env);
  expect(readFileSync(join(await siteOf(path), "configs/minipc.yaml"), "utf8")).toBe(served);
  const { manifest, said } = await runStep("appliance", { ...request, machineConfig, path: newPath() }, env);
  expect(manifest).toBeUndefined();
  expect(said).toContain("it changed after it was checked");
});

test("the same layers give the same bytes", async () => {
  const [one, two] = [newPath(), newPath()];
  const first = await runStep("appliance", { ...request, path: one }, env);
  const second = await runStep("appliance", { ...request, path: two }, env);
  expect(second.manifest?.sha256).toBe(first.manifest?.sha256);
});

test("another MAC changes the site, and nothing before it", async () => {
  const [one, two] = [newPath(), newPath()];
  const files = { ...request.files, "site.env": "MINIPC_MAC=52:54:00:65:43:21\n" };
  await runStep("appliance", { ...request, path: one }, env);
  await runStep("appliance", { ...request, key: "fedcba9876543210", path: two, files }, env);
  // The table lies in the first MiB, the EFI partition and the root from there to 14 MiB.
  const layers = (path: string) => readFileSync(path).subarray(1 << 20, 14 << 20);
  expect(layers(two).equals(layers(one))).toBe(true);
  expect(readFileSync(join(await siteOf(two), "site.env"), "utf8")).toBe(files["site.env"]);
});

/** Where an image's owner is written down. */
const ownerOf = (path: string) => join(path, "..", `.${basename(path)}.owner`);

test("a path that belongs to another stack is left alone, and both who writes and who removes say so", async () => {
  const path = newPath();
  // The demo's file is in every checkout.
  await runStep("appliance", { ...request, path, stack: "demo" }, env);
  const before = await sha256(path);
  const other = { ...request, path, stack: "nuc2", key: "other" };
  const { manifest, said } = await runStep("appliance", other, env);
  expect(manifest).toBeUndefined();
  expect(said).toContain("it belongs to the stack demo");
  expect(said).toContain("artifactName");
  const left = await runStep("discard", { path, stack: "nuc2" });
  expect(left.said).toContain(`${path} is not removed: it belongs to the stack demo`);
  expect(await sha256(path)).toBe(before);
});

test("the path of a stack that was renamed or removed is taken over, and that is said", async () => {
  const path = newPath();
  await runStep("appliance", { ...request, path, stack: "gone" }, env);
  const { manifest, said } = await runStep("appliance", { ...request, path, stack: "renamed" }, env);
  expect(manifest).toMatchObject({ path });
  expect(said).toContain("was of the stack gone, whose Pulumi.gone.yaml is gone");
  expect((await runStep("discard", { path, stack: "gone" })).manifest).toMatchObject({ removed: false });
  expect((await runStep("discard", { path, stack: "renamed" })).manifest).toMatchObject({ removed: true });
});

test("where the owner's name was lost, the next run writes it anew, and discard goes by what was made", async () => {
  const path = newPath();
  await runStep("appliance", { ...request, path }, env);
  writeFileSync(ownerOf(path), "");
  await runStep("appliance", { ...request, path }, env);
  expect(readFileSync(ownerOf(path), "utf8")).toBe("lab\n");
  writeFileSync(ownerOf(path), "");
  const other = await runStep("discard", { path, stack: "lab", key: "other" });
  expect(other.manifest).toEqual({ path, removed: false });
  expect(other.said).toContain("nothing beside it tells which stack made it");
  const own = await runStep("discard", { path, stack: "lab", key: request.key });
  expect(own.manifest).toEqual({ path, removed: true });
  expect(existsSync(path)).toBe(false);
});

test("discard removes the image and its checksum, and gives the path back", async () => {
  const path = newPath();
  await runStep("appliance", { ...request, path, stack: "demo" }, env);
  expect((await runStep("discard", { path, stack: "demo" })).manifest).toEqual({ path, removed: true });
  expect(await tool("ls", ["-A", join(path, "..")])).toBe("");
  expect((await runStep("appliance", { ...request, path, stack: "nuc2" }, env)).manifest?.path).toBe(path);
});

test("a machine config that changed since it was checked is refused", async () => {
  const machineConfig = { path: join(folder, "changed.yaml"), sha256: "0".repeat(64) };
  writeFileSync(machineConfig.path, "machine: {}\n");
  const path = newPath();
  const { manifest, said } = await runStep("appliance", { ...request, path, machineConfig }, env);
  expect(manifest).toBeUndefined();
  expect(said).toContain("it changed after it was checked");
});

test("a layer that was touched since it was made is refused", async () => {
  const [path, base] = [newPath(), join(folder, "touched.raw")];
  copyFileSync(request.base.path, `${base}.made`);
  await publish(`${base}.made`, base, "k");
  writeFileSync(base, "x", { flag: "r+" });
  const layer = { path: base, sha256: request.base.sha256 };
  const { manifest, said } = await runStep("appliance", { ...request, path, base: layer }, env);
  expect(manifest).toBeUndefined();
  expect(said).toContain(`reading ${base}: it is not the layer that was made for this`);
});

/** Writes over some bytes of a file and puts its time back, as a tool that keeps times does, or a failing disk. */
async function alterUnseen(path: string, at: number, text: string) {
  await tool("touch", ["-r", path, `${path}.timed`]);
  const file = openSync(path, "r+");
  writeSync(file, text, at);
  closeSync(file);
  await tool("touch", ["-r", `${path}.timed`, path]);
}

describe.each<["base" | "netboot", string, (bytes: number) => number]>([
  ["base", "its partition table", () => 512],
  ["base", "the EFI partition", () => (1 << 20) + 3000],
  ["base", "its last bytes", (bytes) => bytes - 20],
  ["netboot", "its head", () => 0],
  ["netboot", "its content", (bytes) => bytes >> 1],
])("a %s layer altered at %s, its time put back", (name, _place, at) => {
  test("is refused by name, and counts as missing from then on", async () => {
    const [path, layer] = [newPath(), join(folder, `altered-${++number}`)];
    copyFileSync(request[name].path, `${layer}.made`);
    await publish(`${layer}.made`, layer, "k");
    await alterUnseen(layer, at(statSync(layer).size), "altered");
    const given = { ...request, path, [name]: { path: layer, sha256: request[name].sha256 } };
    const { manifest, said } = await runStep("appliance", given, env);
    expect(manifest).toBeUndefined();
    expect(said.trim().split("\n").at(-1)).toBe(
      `appliance: reading ${layer}: its SHA-256 is ${await sha256(layer)}, and it was made with ` +
        `${request[name].sha256}: something altered it, or the disk is failing. Run pulumi up again, which makes it anew`,
    );
    expect(readdirSync(join(layer, ".."))).not.toContain(`.${layer.split("/").at(-1)}.stamp`);
    expect(readdirSync(join(path, "..")).filter((file) => file.includes("raw"))).toEqual([
      ".bootstrap-pxe.raw.owner",
    ]);
  });
});

/** A folder of programs that stand before the machine's own: each runs a line of sh, then the real one. */
function programs(lines: Record<string, string>): NodeJS.ProcessEnv {
  const bin = join(folder, `bin-${++number}`);
  mkdirSync(bin);
  for (const [name, line] of Object.entries(lines)) {
    const file = join(bin, name);
    writeFileSync(file, `#!/bin/sh\n${line}\nPATH='${toolEnvironment.PATH}'\nexec ${name} "$@"\n`);
    chmodSync(file, 0o755);
  }
  return { PATH: `${bin}:${toolEnvironment.PATH}`, BOOTSTRAP_PXE_CACHE: join(folder, "no-cache") };
}

test("nobody else may read the image, not even while the base is copied", async () => {
  const [path, seen] = [newPath(), join(folder, "modes")];
  const watched = programs({
    cp: `for disk; do :; done; stat -c %a "$disk" >> ${seen} 2>&1; umask >> ${seen}`,
  });
  expect((await runStep("appliance", { ...request, path }, { ...env, ...watched })).manifest?.path).toBe(
    path,
  );
  expect(readFileSync(seen, "utf8")).toBe("600\n0022\n");
});

test("no program of a step gets a secret that is not for it", async () => {
  const [path, seen] = [newPath(), join(folder, "environments")];
  const children = ["cp", "dd", "sfdisk", "sqfstar", "unsquashfs"];
  const watched = programs(Object.fromEntries(children.map((name) => [name, `env >> ${seen}`])));
  const names = ["PULUMI_CONFIG_PASSPHRASE", "IDRIVE_SECRET_KEY", "AWS_SECRET_ACCESS_KEY", "SOPS_AGE_KEY"];
  const secrets = Object.fromEntries([...names, "CONSOLE_HASH"].map((name) => [name, "hunter2"]));
  const { manifest } = await runStep("appliance", { ...request, path }, { ...watched, ...secrets });
  expect(manifest?.path).toBe(path);
  const said = readFileSync(seen, "utf8");
  expect(said.match(/^HOME=/gm)?.length).toBeGreaterThanOrEqual(children.length);
  expect(said).not.toContain("hunter2");
});

test("what a killed run left of another version goes when any image is made, and when one is destroyed", async () => {
  const left = join(
    "artifacts/bootstrap",
    `killed-${process.pid}`,
    `.bootstrap-pxe.raw.partial-${NO_PROCESS}`,
  );
  const leave = () => {
    mkdirSync(join(left, ".."), { recursive: true });
    writeFileSync(left, "secret");
  };
  const path = newPath();
  leave();
  await runStep("appliance", { ...request, path }, env);
  expect(existsSync(left)).toBe(false);
  leave();
  await runStep("discard", { path: newPath(), stack: "nobody" });
  expect(existsSync(left)).toBe(false);
  rmdirSync(join(left, ".."));
});
