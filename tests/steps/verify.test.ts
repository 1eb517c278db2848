import { copyFileSync, mkdirSync, readFileSync, readlinkSync, truncateSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { abandonedScratch } from "../../steps/frame/scratch.cjs";
import { publish } from "../../steps/store/files";
import { imagesLayer, writeImagesLayer } from "../images-layer";
import { inToolEnvironment, NO_PROCESS, sha256Of, tool, TOP } from "../tools";
import { layersIn, requestFor, SITE, type Layers } from "./small-image";
import { runStep, testFolder } from "./run-step";

const folder = testFolder();
let layers: Layers;
let number = 0;

/** An image for the mini-PC of SITE, in a folder of its own. */
async function makeImage(site: Record<string, string> = SITE, more: object = {}): Promise<string> {
  const path = join(folder, `image-${++number}`, "bootstrap-pxe.raw");
  const env = Object.entries(site).map(([key, value]) => `${key}=${value}\n`);
  const request = requestFor(layers, path);
  const files = { ...request.files, "site.env": env.join("") };
  const { said, manifest } = await runStep(
    "appliance",
    { ...request, files, ...more },
    { CONSOLE_HASH: "x" },
  );
  if (!manifest) throw new Error(said);
  return path;
}

/** A layer of tiny images, as its step leaves it. */
async function layerOf(references: string[]) {
  const [files, path] = [join(folder, "images"), join(folder, "images.squashfs")];
  writeImagesLayer(imagesLayer(references), files);
  await tool("mksquashfs", [files, `${path}.made`, "-quiet", "-no-progress"]);
  const { sha256 } = await publish(`${path}.made`, path, "k");
  return { path, sha256 };
}

/** As `npm run verify` does, whose set-up is tested elsewhere. */
const verify = (...args: string[]) =>
  inToolEnvironment("node", ["--import", "tsx", "commands/verify-image.ts", ...args], { cwd: TOP });

function listAnew(path: string): void {
  writeFileSync(join(dirname(path), "SHA256SUMS"), `${sha256Of(readFileSync(path))}  ${basename(path)}\n`);
}

test("an offline stack's image has a layer of images, and one without it is refused", async () => {
  const site = { ...SITE, OFFLINE: "true" };
  const images = ["ghcr.io/siderolabs/kubelet:v1.34.1", "registry.k8s.io/pause:3.10"];
  const whole = await verify(await makeImage(site, { images: await layerOf(images) }), "--json");
  expect(whole.stderr).toContain("bootstrap-netboot, 1 MiB; bootstrap-images, 1 MiB; bootstrap-site, 1 MiB");
  expect(whole.stderr).toContain("It serves 2 images.");
  expect(JSON.parse(whole.stdout)).toMatchObject({ images });
  expect(whole.exitCode).toBe(0);
  const other = await verify(await makeImage(site, { images: layers.netboot }));
  expect(other.stderr).toContain("the layer bootstrap-images cannot be read");
  expect((await verify(await makeImage(site))).stderr).toContain(
    "there is no partition bootstrap-images, and its stack is offline",
  );
});

beforeAll(async () => {
  layers = await layersIn(folder);
});

test("a whole image is told in words, and with --json as JSON for programs", async () => {
  const image = await makeImage();
  expect((await verify(image)).stdout).toBe("");
  const { exitCode, stderr, stdout } = await verify(image, "--json");
  expect(stderr).toContain(
    `bootstrap-pxe.raw: SHA-256 ${sha256Of(readFileSync(image))}, as SHA256SUMS has it`,
  );
  expect(stderr).toContain(
    "This is the appliance 2025-12-17 for the mini-PC 52:54:00:12:34:56: it leases it 10.10.10.100 and boots Talos v1.11.6 on it.",
  );
  expect(stderr).toContain(
    "partitions: EFI system partition, 4 MiB; root, 8 MiB; bootstrap-netboot, 1 MiB; bootstrap-site, 1 MiB",
  );
  expect(JSON.parse(stdout)).toMatchObject({
    sha256: sha256Of(readFileSync(image)),
    minipcMac: "52:54:00:12:34:56",
    uplink: true,
  });
  expect(exitCode).toBe(0);
});

test("a file is looked for where the person is", async () => {
  const image = await makeImage({ ...SITE, UPLINK: "false" });
  const { exitCode, stderr } = await inToolEnvironment(
    "node",
    ["--import", "tsx", "commands/verify-image.ts", basename(image)],
    { env: { INIT_CWD: dirname(image) } },
  );
  expect(stderr).toContain("gives the mini-PC time, but no way out.");
  expect(exitCode).toBe(0);
});

test.each([
  ["gz", "gzip", ["-n"]],
  ["zst", "zstd", ["-q"]],
])("a .%s is checked as it is and as what it holds", async (ending, program, flags) => {
  const image = await makeImage();
  const packed = `${image}.${ending}`;
  await tool("sh", ["-c", `${program} ${flags.join(" ")} -c ${image} >${packed}`]);
  const list = join(dirname(image), "SHA256SUMS");
  writeFileSync(
    list,
    `${readFileSync(list, "utf8")}${sha256Of(readFileSync(packed))}  ${basename(packed)}\n`,
  );
  const whole = await verify(packed);
  expect(whole.stderr).toMatch(
    new RegExp(`^verify: bootstrap-pxe.raw.${ending}: SHA-256 .*\nverify: bootstrap-pxe.raw: SHA-256 `),
  );
  expect(whole.exitCode).toBe(0);

  // What it holds is another image than the listed one.
  writeFileSync(
    list,
    readFileSync(list, "utf8").replace(/^[0-9a-f]{64}(?= {2}bootstrap-pxe.raw$)/m, "0".repeat(64)),
  );
  const other = await verify(packed);
  expect(other.stderr).toContain("checking bootstrap-pxe.raw: its SHA-256 is ");
  expect(other.exitCode).toBe(1);
});

test.each<[what: string, spoil: (image: string) => Promise<unknown> | void, says: string]>([
  [
    "a changed byte",
    (image) => tool("dd", [`of=${image}`, "bs=1", "seek=5000000", "conv=notrunc"], "x"),
    ", SHA256SUMS has ",
  ],
  [
    "no list",
    (image) => writeFileSync(join(dirname(image), "SHA256SUMS"), ""),
    "no SHA256SUMS beside it has its name. Put the one",
  ],
  [
    "a cut end, listed so",
    (image) => {
      truncateSync(image, 15 << 20);
      listAnew(image);
    },
    "it has no whole GPT: cut short",
  ],
  [
    "a disk of something else",
    (image) => {
      copyFileSync(layers.base.path, image);
      listAnew(image);
    },
    "there is no partition bootstrap-netboot",
  ],
  [
    "no disk at all",
    (image) => {
      writeFileSync(image, "not a disk\n");
      listAnew(image);
    },
    "it has no partition table",
  ],
  [
    "a spoilt site layer",
    async (image) => {
      const { partitiontable } = JSON.parse(await tool("sfdisk", ["--json", image])) as {
        partitiontable: { partitions: { name?: string; start: number }[] };
      };
      const site = partitiontable.partitions.find(({ name }) => name === "bootstrap-site");
      await tool("dd", [`of=${image}`, "bs=512", `seek=${site?.start}`, "conv=notrunc"], Buffer.alloc(4096));
      listAnew(image);
    },
    "the layer bootstrap-site cannot be read",
  ],
])("%s is one line that says so", async (_what, spoil, says) => {
  const image = await makeImage();
  await spoil(image);
  const { exitCode, stderr } = await verify(image);
  expect(stderr.trim().split("\n").at(-1)).toContain(says);
  expect(stderr).not.toContain("    at ");
  expect(exitCode).toBe(1);
});

test("a program that is missing is not taken for damage", async () => {
  const image = await makeImage();
  const PATH = [dirname(process.execPath), "/usr/bin", "/bin"].join(":");
  const args = ["--import", "tsx", "commands/verify-image.ts", image];
  const { stderr } = await inToolEnvironment("node", args, { cwd: TOP, env: { PATH } });
  expect(stderr).toContain("running sfdisk: the program is not on this machine. npm run setup brings it");
});

test("a site that names no mini-PC is not verified", async () => {
  const { stderr, exitCode } = await verify(await makeImage({ MINIPC_MAC: "52:54:00:12:34:56" }));
  expect(stderr).toContain("its site.env does not name a mini-PC");
  expect(exitCode).toBe(1);
});

test.each([
  [[], "0 files are named, not one"],
  [["one", "two"], "2 files are named, not one"],
  [["--what"], "Unknown option '--what'"],
  [["/nowhere.raw"], "there is no such file"],
])("%j is told with what is right", async (args, says) => {
  const { stderr, exitCode } = await verify(...args);
  expect(stderr).toContain(says);
  expect(stderr).toContain("npm run verify -- FILE");
  expect(exitCode).toBe(1);
});

test("a stack that is not here is named", async () => {
  const { stderr, exitCode } = await verify("--stack", "nobody", "s3://images/x.raw");
  expect(stderr).toBe(
    "verify: reading Pulumi.nobody.yaml: there is no such file. See that the stack's name is right",
  );
  expect(exitCode).toBe(1);
});

test("nothing is left of what was looked at, by a run that was killed neither", async () => {
  const pids = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0];
  mkdirSync(join(TOP, "artifacts", `bootstrap-pxe-verify-${pids}-${NO_PROCESS}-abc`), { recursive: true });
  const image = await makeImage();
  await tool("sh", ["-c", `gzip -n -c ${image} >${image}.gz`]);
  listAnew(`${image}.gz`);
  expect((await verify(`${image}.gz`)).exitCode).toBe(0);
  // Another test may be looking at one meanwhile.
  const left = abandonedScratch(join(TOP, "artifacts")).filter((path) => path.includes("-verify-"));
  expect(left).toEqual([]);
});
