import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { publish } from "../../steps/store/files";
import { MIB } from "../../stack/mib";
import { inToolEnvironment, sha256Of, tool, TOP } from "../tools";
import { makeDisk, SEALED_ROOT } from "./disk";
import { journalFiles, MACHINE_ID, type Said } from "./journal-files";
import { layersIn, requestFor, SITE, type Layers } from "./small-image";
import { runStep, testFolder } from "./run-step";

const folder = testFolder();
const SERVING = "serving 52:54:00:12:34:56 -> 10.10.10.100 on isolated (02:00:5e:00:53:11), Talos v1.11.6";
const BOOTS: Said[][] = [
  [
    ["bootstrap-pxe", "info", "waiting: nginx is not running (active)"],
    ["bootstrap-pxe", "info", "NOT serving: nginx is not running (exit-code)"],
    ["nginx", "err", "nginx: [emerg] bind() failed"],
  ],
  [
    ["bootstrap-pxe", "info", SERVING],
    [
      "dnsmasq",
      "info",
      "Nov 26 17:01:43 dnsmasq-dhcp[431]: DHCPDISCOVER(isolated) 02:00:5e:00:53:01 ignored",
    ],
    ["nginx", "info", '10.10.10.100 - - [x] "GET /boot.ipxe?token=QUERY HTTP/1.1" 200 812 "-" "iPXE"'],
  ],
];
const SECRETS = ["SECRET-OF-THE-CONFIG", "SECRET-OF-THE-CONSOLE", "SECRET-OF-NETPLAN"];
let layers: Layers;
let journal: Record<string, string | Buffer>;
let number = 0;

beforeAll(async () => {
  layers = await layersIn(folder);
  writeFileSync(layers.machineConfig.path, `machine:\n  token: ${SECRETS[0]}\n`);
  layers.machineConfig.sha256 = sha256Of(readFileSync(layers.machineConfig.path));
  journal = await journalFiles(folder, BOOTS);
});

/** An image whose root file system has these files, in a folder of its own. */
async function makeImage(root: Record<string, string | Buffer>): Promise<string> {
  const place = join(folder, `case-${++number}`);
  mkdirSync(place);
  const base = join(place, "base.raw");
  const disk = await makeDisk(place, { ...SEALED_ROOT, ...root }, { rootStart: 6, rootSize: 24 });
  const { sha256 } = await publish(disk, base, "k");
  const request = requestFor({ ...layers, base: { path: base, sha256 } }, join(place, "appliance.raw"));
  const env = Object.entries(SITE).map(([key, value]) => `${key}=${value}\n`);
  const files = { ...request.files, "site.env": env.join(""), "netplan.yaml": `# ${SECRETS[2]}\n` };
  const { said, manifest } = await runStep("appliance", { ...request, files }, { CONSOLE_HASH: SECRETS[1] });
  if (!manifest) throw new Error(said);
  return request.path;
}

const bootedImage = (more: Record<string, string | Buffer> = {}) =>
  makeImage({
    ...journal,
    "etc/machine-id": `${MACHINE_ID}\n`,
    "var/lib/misc/dnsmasq.leases": "0 52:54:00:12:34:56 10.10.10.100 * 01:52:54:00:12:34:56\n",
    ...more,
  });

/** As `npm run collect` does, whose set-up is tested elsewhere. */
const collect = (disk: string, to = join(dirname(disk), "collected"), env: NodeJS.ProcessEnv = {}) =>
  inToolEnvironment("node", ["--import", "tsx", "commands/collect-logs.ts", disk, "--to", to], {
    cwd: TOP,
    env,
  });

const textOf = (disk: string, name: string) => readFileSync(join(dirname(disk), "collected", name), "utf8");

test("of a disk that booted twice, both boots, the leases, and what was said last; no secret, and the disk is as it was", async () => {
  const image = await bootedImage();
  const before = sha256Of(readFileSync(image));
  const { exitCode, stderr, stdout } = await collect(image);
  expect({ exitCode, stdout, said: exitCode ? stderr : "" }).toEqual({ exitCode: 0, stdout: "", said: "" });
  expect(stderr).toContain(
    "This is the appliance 2025-12-17 for the mini-PC 52:54:00:12:34:56, with Talos v1.11.6.",
  );
  expect(stderr.match(/, and its journal goes on until /g)).toHaveLength(2);
  expect(stderr).toContain(`: ${SERVING}\n`);
  expect(stderr).toMatch(/Leased:\ncollect: {3}10\.10\.10\.100 to 52:54:00:12:34:56, for good\n/);
  expect(stderr).toMatch(
    /Z dhcp: discover from 02:00:5e:00:53:01: ignored\n.*Z http: GET \/boot\.ipxe 200 to /,
  );
  expect(stderr).toMatch(/Faults:\n.*NOT serving: nginx is not running.*\n.*bind\(\) failed\n/);
  const files = ["journal.txt", "leases.txt", "status.txt"];
  const made = join(dirname(image), "collected");
  expect(readdirSync(made).sort()).toEqual(files);
  expect(files.map((name) => (statSync(join(made, name)).mode & 0o777).toString(8))).toEqual([
    "600",
    "600",
    "600",
  ]);
  for (const [, , text] of BOOTS.flat().slice(0, -1)) expect(textOf(image, "journal.txt")).toContain(text);
  expect(textOf(image, "status.txt")).toContain("waiting: nginx is not running");
  const all = [stderr, ...files.map((name) => textOf(image, name))].join("\n");
  expect([...SECRETS, "QUERY"].filter((secret) => all.includes(secret))).toEqual([]);
  expect(sha256Of(readFileSync(image))).toBe(before);
});

test.each([
  ["a larger raw disk", (image: string) => tool("truncate", ["--size", "200M", image]), ""],
  [
    "qcow2",
    (image: string) => tool("qemu-img", ["convert", "-O", "qcow2", image, `${image}.qcow2`]),
    ".qcow2",
  ],
  ["vdi", (image: string) => tool("qemu-img", ["convert", "-O", "vdi", image, `${image}.vdi`]), ".vdi"],
  ["vmdk", (image: string) => tool("qemu-img", ["convert", "-O", "vmdk", image, `${image}.vmdk`]), ".vmdk"],
  ["gzip", (image: string) => tool("gzip", ["-k", image]), ".gz"],
])("a disk that a hypervisor keeps as %s is read as well", async (_what, convert, ending) => {
  const image = await bootedImage();
  await convert(image);
  const { exitCode, stderr } = await collect(`${image}${ending}`);
  expect({ exitCode, said: exitCode ? stderr : "" }).toEqual({ exitCode: 0, said: "" });
  expect(textOf(image, "journal.txt")).toContain(SERVING);
});

test("of a machine that was switched off, what only the file system's journal has is there too", async () => {
  const image = await bootedImage();
  const root = `${image}?offset=${6 * MIB}`;
  const path = `/var/log/journal/${MACHINE_ID}/system.journal`;
  // As after a power cut: the block that names the file is in the file system's journal alone.
  const { stdout: listed } = await inToolEnvironment("debugfs", ["-R", `blocks ${dirname(path)}`, root]);
  const block = listed.trim().split(/\s+/)[0] as string;
  const content = join(dirname(image), "block");
  await tool("dd", [
    `if=${image}`,
    `of=${content}`,
    "bs=1024",
    `skip=${6 * 1024 + Number(block)}`,
    "count=1",
    "status=none",
  ]);
  await tool("debugfs", ["-w", "-R", `unlink ${path}`, root]);
  await tool("debugfs", ["-w", "-f", "-", root], `jo\njw -b ${block} ${content}\njc\n`);
  const { exitCode, stderr } = await collect(image);
  expect(stderr).toContain("it was switched off without a shutdown: of its last seconds some may be missing");
  expect({ exitCode, said: exitCode ? stderr : "" }).toEqual({ exitCode: 0, said: "" });
  expect(textOf(image, "journal.txt")).toContain(SERVING);
});

test.each<[what: string, make: () => Promise<string> | string, says: string]>([
  [
    "an image that never booted",
    () => makeImage({}),
    "it never booted, so it has none. An import copies the image: name a copy of the virtual machine's disk",
  ],
  [
    "one whose base keeps no journal",
    () => makeImage({ "etc/machine-id": `${MACHINE_ID}\n` }),
    "it has booted, and keeps none. ",
  ],
  ["a disk of something else", () => layers.base.path, "there is no partition bootstrap-site. "],
  ["no disk at all", () => join(TOP, "README.md"), "it has no partition table. "],
  ["a file that is not there", () => "/nowhere.raw", "there is no such file. "],
  ["a folder", () => folder, "it is no file. "],
])("%s is one line that says so, and nothing is written", async (_what, make, says) => {
  const disk = await make();
  const to = join(folder, `refused-${++number}`);
  const { exitCode, stderr } = await collect(disk, to);
  expect(stderr.trim().split("\n").at(-1)).toContain(says);
  expect(stderr).not.toContain("    at ");
  expect(exitCode).toBe(1);
  expect(readdirSync(folder)).not.toContain(basename(to));
});

test("a folder with files in it is left alone", async () => {
  const { exitCode, stderr } = await collect(layers.base.path, folder);
  expect(stderr).toContain("there are files in it already. Name another folder by --to");
  expect(exitCode).toBe(1);
});

test("a program that is missing is named with what brings it", async () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const programs = ["node", "qemu-img", "sfdisk", "tune2fs", "unsquashfs", "debugfs", "setpriv", "sh"];
  for (const program of programs)
    await tool("sh", ["-c", `ln -s "$(command -v ${program})" ${bin}/${program}`]);
  const { stderr } = await collect(await bootedImage(), undefined, { PATH: bin });
  expect(stderr).toContain("running journalctl: the program is not on this machine. npm run setup brings it");
});
