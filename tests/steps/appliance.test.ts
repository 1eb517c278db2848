import { copyFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publish } from "../../steps/lib/files";
import { tool } from "../tools";
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

test("a path that belongs to another stack is left alone", async () => {
  const path = newPath();
  await runStep("appliance", { ...request, path }, env);
  const before = await sha256(path);
  const { manifest, said } = await runStep(
    "appliance",
    { ...request, path, stack: "nuc2", key: "other" },
    env,
  );
  expect(manifest).toBeUndefined();
  expect(said).toContain("it belongs to the stack lab");
  expect(said).toContain("artifactName");
  await runStep("discard", { path, stack: "nuc2" });
  expect(await sha256(path)).toBe(before);
});

test("discard removes the image and its checksum, and gives the path back", async () => {
  const path = newPath();
  await runStep("appliance", { ...request, path }, env);
  expect((await runStep("discard", { path, stack: "lab" })).manifest).toEqual({ path, removed: true });
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
