import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import execa from "execa";
import { S3Server } from "../s3-server";
import { ThrottledProxy } from "../plugins/throttled-proxy";
import { onSmallDisk } from "../small-disk";
import { sha256Of, toolEnvironment } from "../tools";
import { imageOf, imageSum, until, upEndsWell } from "./aftermath";
import { SmallLab } from "./small-lab";

// The images of a small lab boot nothing: what they are published after is a stand-in for the rehearsal.
const REHEARSAL = `
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import * as z from "zod";
import { partialBeside, publish } from "./store/files";
import { runStep } from "./frame/main";
import { StepError } from "./frame/step-error";

const Input = z.object({ key: z.string(), path: z.string() });
void runStep("rehearse", { Input, Manifest: z.looseObject({}) }, async ({ key, path }) => {
  if (existsSync("artifacts/boots-not")) throw new StepError("rehearsing", "it boots not", "So be it");
  const partial = await partialBeside(path);
  await writeFile(partial, "{}");
  await publish(partial, path, key);
  return { timeline: path, accelerator: "tcg", seconds: 1, steps: [], proved: [] };
});
`;

const WRONG_SECRET = "secret-of-this-test";
const FOLDER = "images/bootstrap/demo";
let lab: SmallLab;
let server: S3Server;
/** All that the lab's runs said. */
let said = "";

beforeAll(async () => {
  [lab, server] = await Promise.all([SmallLab.make(), S3Server.start("images")]);
  writeFileSync(lab.checkout.path("steps/rehearse.ts"), REHEARSAL);
  const script = lab.checkout.script.bind(lab.checkout);
  lab.checkout.script = (program, args) => {
    const running = script(program, args);
    running.all?.on("data", (chunk: Buffer) => (said += chunk.toString()));
    return running;
  };
  lab.checkout.use({
    IDRIVE_BUCKET: "images",
    IDRIVE_ENDPOINT: server.origin,
    IDRIVE_REGION: "us-east-1",
    IDRIVE_ACCESS_KEY: server.keys.AWS_ACCESS_KEY_ID,
    IDRIVE_SECRET_KEY: server.keys.AWS_SECRET_ACCESS_KEY,
    // What stalls is tried again long before the test's own limit.
    BOOTSTRAP_PXE_STALL_SECONDS: "20",
  });
  lab.checkout.set("lab", { rehearse: "true", upload: "true" });
});
afterAll(async () => {
  lab?.remove();
  await server?.remove();
});

const objects = async (at = server) =>
  [...(await at.curl("GET", "images?list-type=2")).matchAll(/<Key>([^<]*)<\/Key>/g)]
    .map(([, key]) => key)
    .sort();
/** An object that ends with a line break, which `curl` does not print. */
const text = async (name: string) => `${await server.curl("GET", `${FOLDER}/${name}`)}\n`;
/** When each object was last written, by its ETag and time. */
const versions = async () =>
  (await server.curl("GET", "images?list-type=2")).match(/<(LastModified|ETag)>[^<]*/g);

async function sumOf(name: string): Promise<string> {
  const path = lab.checkout.path("artifacts/downloaded");
  await server.curl("GET", `${FOLDER}/${name}`, "--output", path);
  const sum = sha256Of(readFileSync(path));
  rmSync(path);
  return sum;
}

/** Has the plugin note where it makes temporary files, and leave one there, as the real one does. */
function wrapPlugin(): string {
  const [program, notes] = ["tools/plugins/bin/pulumi-resource-aws", "artifacts/tmpdirs"].map((path) =>
    lab.checkout.path(path),
  ) as [string, string];
  const note = `touch "$TMPDIR/pulumi-asset-left"; stat -c '%a %n' "$TMPDIR" >>'${notes}'`;
  writeFileSync(program, readFileSync(program, "utf8").replace("\n", `\n${note}\n`));
  return notes;
}

test("what failed its rehearsal is not published", async () => {
  writeFileSync(lab.checkout.path("artifacts/boots-not"), "");
  const { exitCode, all } = await lab.checkout.up("lab");
  rmSync(lab.checkout.path("artifacts/boots-not"));
  expect(exitCode).not.toBe(0);
  expect(all).toContain("it boots not");
  expect(await objects()).toEqual([]);
});

test("the image, its checksums and a manifest lie under the version; the image is over 5 MiB", async () => {
  const notes = wrapPlugin();
  await upEndsWell(lab.checkout);
  // A copy of the image that a plugin leaves goes with the run.
  const tmpdirs = readFileSync(notes, "utf8").trim().split("\n");
  const artifacts = lab.checkout.path("artifacts");
  for (const tmpdir of tmpdirs) expect(tmpdir).toMatch(`700 ${artifacts}/bootstrap-pxe-tmp-`);
  expect(readdirSync(artifacts).filter((name) => name.startsWith("bootstrap-pxe-"))).toEqual([]);
  expect(await objects()).toEqual([
    "bootstrap/demo/SHA256SUMS",
    "bootstrap/demo/bootstrap-pxe.raw",
    "bootstrap/demo/manifest.json",
  ]);
  expect(await lab.checkout.output("lab", "objectUri")).toBe(`s3://${FOLDER}/bootstrap-pxe.raw`);
  expect(readFileSync(imageOf(lab.checkout)).length).toBeGreaterThan(5 << 20);
  expect(await sumOf("bootstrap-pxe.raw")).toBe(imageSum(lab.checkout));
  expect(await text("SHA256SUMS")).toBe(`${imageSum(lab.checkout)}  bootstrap-pxe.raw\n`);
  expect(JSON.parse(await text("manifest.json"))).toMatchObject({
    minipcMac: "52:54:00:12:34:56",
    image: { sha256: imageSum(lab.checkout) },
    rehearsed: { seconds: 1 },
  });
});

test("an unchanged image is not uploaded again", async () => {
  const before = await versions();
  await upEndsWell(lab.checkout, "lab", "--expect-no-changes");
  await upEndsWell(lab.checkout);
  expect(await versions()).toEqual(before);
});

test("another bucket: preview says that it is uploaded there, nothing else runs, and the first keeps its objects", async () => {
  await server.curl("PUT", "more-images");
  const told = async () => (await lab.checkout.pulumi("preview", "--stack", "lab")).stdout;
  expect(await told()).toMatch(/Every part is reused: .*publication-image/);
  lab.checkout.set("lab", { bucket: "more-images" });
  expect(await lab.checkout.preview("lab")).toEqual({
    "publication-image": "replace",
    "publication-checksums": "replace",
    "publication-manifest": "replace",
  });
  expect(await told()).toMatch(/rehearsal-boot +reused\n.*publication-image +runs /);
  const before = await objects();
  await upEndsWell(lab.checkout);
  await upEndsWell(lab.checkout, "lab", "--expect-no-changes");
  expect(await lab.checkout.output("lab", "objectUri")).toBe(
    "s3://more-images/bootstrap/demo/bootstrap-pxe.raw",
  );
  expect(await objects()).toEqual(before);
  lab.checkout.set("lab", { bucket: "images" });
  await upEndsWell(lab.checkout);
});

test("a changed one takes its place", async () => {
  lab.checkout.set("lab", { minipcMac: "52:54:00:ab:cd:ef" });
  await upEndsWell(lab.checkout);
  expect(imageSum(lab.checkout)).not.toBe(lab.reference);
  expect(await sumOf("bootstrap-pxe.raw")).toBe(imageSum(lab.checkout));
  expect(await text("SHA256SUMS")).toContain(imageSum(lab.checkout));
  expect(JSON.parse(await text("manifest.json"))).toMatchObject({ minipcMac: "52:54:00:ab:cd:ef" });
});

test("a log that is no terminal shows how far a slow upload is", async () => {
  const proxy = await ThrottledProxy.start(server.port, 5 << 20);
  lab.checkout.use({ IDRIVE_ENDPOINT: proxy.origin });
  lab.checkout.set("lab", { minipcMac: "52:54:00:ab:cd:ee" });
  const { exitCode, all } = await lab.checkout.up("lab");
  proxy.close();
  expect({ exitCode, all: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, all: "" });
  expect(all).toMatch(/publication-image .*\d+ %, \d+ of \d+ MiB of bootstrap\/demo\/bootstrap-pxe\.raw/);
  lab.checkout.use({ IDRIVE_ENDPOINT: server.origin });
  lab.checkout.set("lab", { minipcMac: "52:54:00:ab:cd:ef" });
  await upEndsWell(lab.checkout);
});

test("it shows how far a build is", async () => {
  lab.forget();
  lab.packer.hold();
  said = "";
  const building = lab.checkout.up("lab");
  await until("a figure", () => /base-packer .*\d+ MiB written; /.test(said));
  lab.packer.release();
  expect((await building).exitCode).toBe(0);
});

test("an object that somebody deleted is put back by a refresh", async () => {
  await server.curl("DELETE", `${FOLDER}/SHA256SUMS`);
  await upEndsWell(lab.checkout, "lab", "--refresh");
  expect(await text("SHA256SUMS")).toBe(`${imageSum(lab.checkout)}  bootstrap-pxe.raw\n`);
});

test("a second stack of the same version leaves the first one's objects as they are", async () => {
  const before = await versions();
  await lab.checkout.stack("nuc2", {
    rehearse: "true",
    upload: "true",
    artifactName: "nuc2",
    minipcMac: "52:54:00:12:34:99",
  });
  await upEndsWell(lab.checkout, "nuc2");
  const own = (await objects()).filter((key) => key?.startsWith("bootstrap/demo/nuc2/"));
  expect(own).toEqual(
    ["SHA256SUMS", "manifest.json", "nuc2.raw"].map((name) => `bootstrap/demo/nuc2/${name}`),
  );
  expect(await text("nuc2/SHA256SUMS")).toMatch(/^[0-9a-f]{64} {2}nuc2\.raw\n$/);
  expect(JSON.parse(await text("nuc2/manifest.json"))).toMatchObject({ minipcMac: "52:54:00:12:34:99" });
  expect(JSON.parse(await text("manifest.json"))).toMatchObject({ minipcMac: "52:54:00:ab:cd:ef" });
  lab.checkout.set("nuc2", { deleteObjects: "true" });
  await upEndsWell(lab.checkout, "nuc2");
  const gone = await lab.checkout.pulumi("destroy", "--stack", "nuc2", "--yes", "--skip-preview");
  expect(gone.exitCode).toBe(0);
  expect(await versions()).toEqual(before);
});

test("compressed, the smaller file is what is published, and the image beside it stays", async () => {
  lab.checkout.set("lab", { compress: "gzip" });
  await upEndsWell(lab.checkout);
  expect(await sumOf("bootstrap-pxe.raw.gz")).toBe(sha256Of(readFileSync(`${imageOf(lab.checkout)}.gz`)));
  expect((await text("SHA256SUMS")).split("\n")).toHaveLength(3);
});

test("npm run verify tells of an object which mini-PC it is for, and keeps no copy", async () => {
  const verify = (name: string) =>
    lab.checkout.script("node_modules/tsx/dist/cli.mjs", [
      "commands/verify-image.ts",
      `s3://${FOLDER}/${name}`,
    ]);
  const whole = await verify("bootstrap-pxe.raw.gz");
  expect(whole.all).toContain("This is the appliance demo for the mini-PC 52:54:00:ab:cd:ef");
  expect(whole.exitCode).toBe(0);
  const missing = await verify("nothing.raw");
  expect(missing.all).toMatch(
    /downloading s3:\/\/images\/bootstrap\/demo\/nothing\.raw from http.*NoSuchKey/,
  );
  expect(missing.exitCode).toBe(1);
  expect(
    readdirSync(lab.checkout.path("artifacts")).filter((name) => name.startsWith("bootstrap-pxe-")),
  ).toEqual([]);
});

test("a full disk under a download is told as one", async () => {
  const uri = `s3://${FOLDER}/bootstrap-pxe.raw.gz`;
  const verify = ["node", "--import", "tsx", "commands/verify-image.ts", uri];
  const { exitCode, stderr } = await execa(...onSmallDisk(16, "artifacts", verify), {
    cwd: lab.checkout.top,
    env: { ...toolEnvironment, ...lab.checkout.env },
    reject: false,
  });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^verify: writing to artifacts\/bootstrap-pxe-verify-\S+: its disk is full/m);
});

test("neither half of the key is in the state, in what was said, or in what steps remember", async () => {
  said = "";
  const { stdout } = await lab.checkout.pulumi("stack", "export", "--show-secrets", "--stack", "lab");
  expect(stdout).toContain("publication-image");
  lab.checkout.use({ IDRIVE_SECRET_KEY: WRONG_SECRET });
  lab.checkout.set("lab", { minipcMac: "52:54:00:ab:cd:f0" });
  const refused = await lab.checkout.up("lab");
  lab.checkout.use({ IDRIVE_SECRET_KEY: server.keys.AWS_SECRET_ACCESS_KEY });
  expect(refused.exitCode).not.toBe(0);
  expect(refused.all).toContain("the server does not take this key");
  await upEndsWell(lab.checkout);
  expect(await sumOf("bootstrap-pxe.raw.gz")).toBe(sha256Of(readFileSync(`${imageOf(lab.checkout)}.gz`)));
  const runs = lab.checkout.path("artifacts/cache/runs/lab");
  const remembered = readdirSync(runs).map((name) => readFileSync(join(runs, name), "utf8"));
  expect(remembered.length).toBeGreaterThan(3);
  for (const key of [WRONG_SECRET, ...Object.values(server.keys)])
    expect([said, ...remembered].filter((text) => text.includes(key))).toEqual([]);
});

test("without a key, up says so before any work", async () => {
  const { env } = lab.checkout;
  lab.checkout.use({ IDRIVE_ACCESS_KEY: "", IDRIVE_SECRET_KEY: "", HOME: lab.checkout.path("artifacts") });
  const { exitCode, all } = await lab.checkout.up("lab");
  lab.checkout.env = env;
  expect(exitCode).not.toBe(0);
  expect(all).toContain("there is no key for the bucket");
  expect(all).not.toContain("local:Command");
});

test("a new bootstrapVersion leaves the objects of the old one, unless deleteObjects says otherwise", async () => {
  const before = await objects();
  const become = async (config: Record<string, string>) => {
    lab.checkout.set("lab", config);
    await upEndsWell(lab.checkout);
  };
  const of = (version: string) =>
    ["SHA256SUMS", "bootstrap-pxe.raw.gz", "manifest.json"].map((name) => `bootstrap/${version}/${name}`);
  await become({ bootstrapVersion: "two" });
  expect(await objects()).toEqual([...before, ...of("two")]);
  await become({ deleteObjects: "true" });
  await become({ bootstrapVersion: "three" });
  expect(await objects()).toEqual([...before, ...of("three")]);
});

test("destroy leaves the objects, unless deleteObjects says otherwise", async () => {
  const destroy = () => lab.checkout.pulumi("destroy", "--stack", "lab", "--yes", "--skip-preview");
  lab.checkout.set("lab", { deleteObjects: "false" });
  await upEndsWell(lab.checkout);
  const before = await objects();
  expect((await destroy()).exitCode).toBe(0);
  expect(await objects()).toEqual(before);
  lab.checkout.set("lab", { deleteObjects: "true" });
  await upEndsWell(lab.checkout);
  expect((await destroy()).exitCode).toBe(0);
  expect(await objects()).toEqual(before.filter((key) => !key?.startsWith("bootstrap/three/")));
});

test("another endpoint: the objects go there and leave the first server; a second name for one server costs none", async () => {
  const other = await S3Server.start("images");
  const at = async (endpoint: string) => {
    lab.checkout.set("lab", { endpoint });
    await upEndsWell(lab.checkout);
  };
  const before = await objects();
  const own = ["SHA256SUMS", "bootstrap-pxe.raw.gz", "manifest.json"].map(
    (name) => `bootstrap/three/${name}`,
  );
  try {
    await at(other.origin);
    expect([await objects(), await objects(other)]).toEqual([before, own]);
    await at(server.origin);
    expect([await objects(), await objects(other)]).toEqual([[...before, ...own].sort(), []]);
    await at(`http://localhost:${server.port}`);
    expect(await objects()).toEqual([...before, ...own].sort());
  } finally {
    await other.remove();
  }
});
