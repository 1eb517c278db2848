import {
  cpSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import execa from "execa";
import { keyOf } from "../../components/identity";
import { onSmallDisk } from "../small-disk";
import { NO_PROCESS, sha256Of } from "../tools";
import { expectRecovery, imageOf, imageSum, until, upEndsWell } from "./aftermath";
import { SmallLab } from "./small-lab";

let lab: SmallLab;

beforeAll(async () => {
  lab = await SmallLab.make();
});
afterAll(() => lab?.remove());

/** Runs `up` where a folder is a file system of its own, of so many KiB. */
async function upWithin(kib: number, folder: string) {
  const up = ["node", "commands/pulumi.mjs", "up", "--stack", "lab", "--yes", "--skip-preview"];
  return execa(...onSmallDisk(kib, folder, up), {
    cwd: lab.checkout.top,
    env: lab.checkout.env,
    all: true,
    reject: false,
    stdin: "ignore",
  });
}

/** What the stack of these tests has while nothing is tried. */
const AS_EVER = { rehearse: "false", compress: "none", dhcpRange: "10.10.10.50-10.10.10.60" };

// The step machine-config writes nothing.
test.each<[step: string, folder: string, kib: number, config?: Record<string, string>]>([
  ["fetch", "artifacts/talos", 512],
  ["netboot", "artifacts/cache/netboot", 512],
  ["base", "artifacts/cache/base", 512],
  ["base", "/dev/shm", 8],
  ["check-files", "/dev/shm", 8, { dhcpRange: "10.10.10.50-10.10.10.70" }],
  ["appliance", "artifacts/bootstrap", 512],
  ["compress", "artifacts/cache/compressed", 16, { compress: "gzip" }],
  ["rehearse", "artifacts/rehearsal", 8, { rehearse: "true" }],
])(
  "a full disk in the step %s: one line says which, and the next up goes on",
  async (step, folder, kib, config = {}) => {
    lab.forget();
    lab.checkout.set("lab", { ...AS_EVER, ...config });
    const { exitCode, all = "" } = await upWithin(kib, folder);
    lab.checkout.set("lab", AS_EVER);
    expect(exitCode).not.toBe(0);
    expect(all).toContain(`${step}: writing to ${folder}`);
    expect(all).not.toContain("    at ");
    await expectRecovery(lab.checkout, lab.reference);
  },
);

/** Starts `up` and keeps what it says. */
function starting(stack: string) {
  const ended = lab.checkout.up(stack);
  const run = { ended, said: "" };
  ended.all?.on("data", (chunk: Buffer) => (run.said += chunk.toString()));
  return run;
}

test("two stacks that need one base at the same time: one makes it, the other waits for it", async () => {
  await lab.checkout.stack("other", { artifactName: "other" });
  lab.forget();
  lab.packer.forget();
  lab.packer.hold();
  const runs = ["lab", "other"].map(starting);
  await until("Packer", () => lab.packer.runs() > 0);
  await until("one that waits", () =>
    runs.some(({ said }) => said.includes("another run is making the same; waiting for it")),
  );
  lab.packer.release();
  for (const { ended } of runs) expect(await ended).toMatchObject({ exitCode: 0 });
  expect(lab.packer.runs()).toBe(1);
  expect(statSync(lab.checkout.path("artifacts/bootstrap/demo/other.raw")).size).toBe(
    statSync(imageOf(lab.checkout)).size,
  );
  await expectRecovery(lab.checkout, lab.reference);
});

test("a base that another stack made again, with other bytes: preview shows it, and the image is made with it", async () => {
  await lab.checkout.stack("neighbour", { artifactName: "neighbour" });
  rmSync(lab.checkout.path("artifacts/cache/base"), { recursive: true });
  lab.packer.mark("another day");
  await upEndsWell(lab.checkout, "neighbour");
  expect(await lab.checkout.preview("lab")).toEqual({ "appliance-assembly": "update" });
  await upEndsWell(lab.checkout);
  expect(imageSum(lab.checkout)).not.toBe(lab.reference);
  await upEndsWell(lab.checkout, "lab", "--expect-no-changes");
  lab.packer.mark();
  lab.forget();
  await expectRecovery(lab.checkout, lab.reference);
});

test("a change that was made but never recorded, and then undone: what it made does not count", async () => {
  const [state, before] = [".pulumi-state", ".pulumi-state-before"].map((name) =>
    lab.checkout.path(name),
  ) as [string, string];
  cpSync(state, before, { recursive: true });
  lab.checkout.set("lab", { minipcMac: "52:54:00:12:34:57" });
  await upEndsWell(lab.checkout);
  lab.checkout.set("lab", { minipcMac: "52:54:00:12:34:56" });
  rmSync(state, { recursive: true });
  renameSync(before, state);
  expect(await lab.checkout.preview("lab")).toEqual({ "appliance-assembly": "update" });
  await expectRecovery(lab.checkout, lab.reference);
});

test("what a run of other inputs left that was killed goes too", async () => {
  const left = lab.checkout.path(`artifacts/cache/base/0123456789abcdef0123/.base.raw.partial-${NO_PROCESS}`);
  lab.forget();
  mkdirSync(left, { recursive: true });
  await expectRecovery(lab.checkout, lab.reference);
});

test("the half-made image of a version that nobody makes again goes with the next npm script, whatever it does", async () => {
  const left = lab.checkout.path(`artifacts/bootstrap/killed/.bootstrap-pxe.raw.partial-${NO_PROCESS}`);
  mkdirSync(dirname(left), { recursive: true });
  for (const [script, ...args] of [["verify", "none.raw"], ["setup"], ["pulumi", "stack", "ls"]]) {
    writeFileSync(left, "machine config");
    await lab.checkout.script(`commands/${script}.mjs`, args);
    expect([script, existsSync(left)]).toEqual([script, false]);
  }
});

test("a layer that was altered, its time put back, is named, and made anew by the next up", async () => {
  const bases = lab.checkout.path("artifacts/cache/base");
  const [base = ""] = readdirSync(bases)
    .map((key) => join(bases, key, "base.raw"))
    .filter((path) => existsSync(path));
  execa.sync("touch", ["-r", base, `${base}.timed`]);
  writeFileSync(base, "altered", { flag: "r+" });
  execa.sync("touch", ["-r", `${base}.timed`, base]);
  rmSync(imageOf(lab.checkout));
  const { exitCode, all } = await lab.checkout.up("lab");
  expect(exitCode).not.toBe(0);
  expect(all).toMatch(
    /reading artifacts\/cache\/base\/\w+\/base\.raw: its SHA-256 is \w+, and it was made with/,
  );
  await expectRecovery(lab.checkout, lab.reference);
});

test("another signature of a source's URL changes nothing, and neither is in the state in plain", async () => {
  const [iso, url] = [
    readFileSync(lab.checkout.path("artifacts/demo/metal-amd64.iso")),
    "https://localhost:9/x.iso",
  ];
  const isoSha256 = sha256Of(iso);
  // With the file in its place, nobody asks the network.
  const folder = lab.checkout.path("artifacts/talos/v1.11.6", keyOf({ url, sha256: isoSha256 }));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "metal-amd64.iso"), iso);
  await lab.checkout.stack("signed", { isoUrl: "", isoSha256, artifactName: "signed" });
  lab.checkout.use({ BOOTSTRAP_PXE_ISO_URL: `${url}?sig=hunter2` });
  await upEndsWell(lab.checkout, "signed");
  lab.checkout.use({ BOOTSTRAP_PXE_ISO_URL: `${url}?sig=hunter3` });
  await upEndsWell(lab.checkout, "signed", "--expect-no-changes");
  lab.checkout.use({ BOOTSTRAP_PXE_ISO_URL: undefined });
  const state = lab.checkout.path(".pulumi-state");
  const paths = readdirSync(state, { recursive: true }).map((name) => join(state, String(name)));
  const texts = paths.flatMap((path) => (statSync(path).isFile() ? [readFileSync(path, "utf8")] : []));
  expect(texts.filter((text) => text.includes(url)).length).toBeGreaterThan(0);
  expect(texts.filter((text) => text.includes("hunter"))).toEqual([]);
});

test("what was compiled and is gone, or was cut short, is compiled again", async () => {
  const code = lab.checkout.path("artifacts/cache/code");
  rmSync(join(code, "program"), { recursive: true });
  lab.checkout.own("artifacts/cache/code");
  truncateSync(join(code, "appliance.cjs"), 1000);
  rmSync(imageOf(lab.checkout));
  await expectRecovery(lab.checkout, lab.reference);
});

/** Pulumi's locks in the checkout's state. */
function locks(): string[] {
  const folder = lab.checkout.path(".pulumi-state/.pulumi/locks");
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => path.endsWith(".json"));
}

test("two ups of one stack: the second says whom it would wait for; a lock from elsewhere goes by `pulumi cancel`", async () => {
  lab.forget();
  lab.packer.hold();
  const first = starting("lab");
  lab.packer.forget();
  await until("Packer", () => lab.packer.runs() > 0);
  const [path] = locks() as [string];
  const lock = JSON.parse(readFileSync(path, "utf8")) as { pid: number; hostname: string };
  const second = await lab.checkout.up("lab");
  expect(second.exitCode).not.toBe(0);
  expect(second.all).toContain("the stack is currently locked by 1 lock(s)");
  expect(second.all).toMatch(new RegExp(`The run of .* \\(pid ${lock.pid}\\) works on the stack lab`));
  lab.packer.release();
  expect(await first.ended).toMatchObject({ exitCode: 0 });
  expect(imageSum(lab.checkout)).toBe(lab.reference);

  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify({ ...lock, hostname: `not-${hostname()}` }));
  const refused = await lab.checkout.up("lab");
  expect(refused.exitCode).not.toBe(0);
  expect(refused.all).toContain(`@not-${hostname()} (pid ${lock.pid})`);
  expect(refused.all).toContain("pulumi cancel");
  expect(await lab.checkout.pulumi("cancel", "--stack", "lab", "--yes")).toMatchObject({ exitCode: 0 });
  await expectRecovery(lab.checkout, lab.reference);
});

test("a clock that was set back: what was made in its future still counts, and a change is still noticed", async () => {
  const future = new Date(Date.now() + 365 * 24 * 3600 * 1000);
  for (const folder of ["artifacts/bootstrap", "artifacts/cache", "artifacts/talos", ".pulumi-state"]) {
    lab.checkout.own(folder);
    const names = readdirSync(lab.checkout.path(folder), { recursive: true }).map(String);
    for (const name of names) lutimesSync(lab.checkout.path(folder, name), future, future);
  }
  lab.packer.forget();
  await expectRecovery(lab.checkout, lab.reference);
  expect(lab.packer.runs()).toBe(0);
  lab.checkout.set("lab", { minipcMac: "52:54:00:12:34:57" });
  await upEndsWell(lab.checkout);
  expect(imageSum(lab.checkout)).not.toBe(lab.reference);
  lab.checkout.set("lab", { minipcMac: "52:54:00:12:34:56" });
  await expectRecovery(lab.checkout, lab.reference);
});

test.each(["artifacts/cache", "artifacts"])(
  "%s on another file system, by a symbolic link",
  async (folder) => {
    const [here, elsewhere] = [lab.checkout.path(folder), mkdtempSync("/dev/shm/elsewhere-")];
    try {
      cpSync(here, elsewhere, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
      rmSync(here, { recursive: true });
      symlinkSync(elsewhere, here);
      expect(statSync(here).dev).not.toBe(statSync(lab.checkout.top).dev);
      lab.forget();
      await expectRecovery(lab.checkout, lab.reference);
    } finally {
      rmSync(here);
      cpSync(elsewhere, here, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
      rmSync(elsewhere, { recursive: true });
    }
  },
);
