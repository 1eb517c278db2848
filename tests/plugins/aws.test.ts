import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { specialAssetSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";
import { Minio } from "../minio";
import { inToolEnvironment, sha256Of } from "../tools";
import { Plugin, type Line, type Properties } from "./plugin-client";
import { ThrottledProxy } from "./throttled-proxy";

const MIB = 1 << 20;
const TYPE = "aws:s3/bucketObjectv2:BucketObjectv2";
/** Random, so that nothing on its way makes less of it; over one part of an upload in parts. */
const CONTENT = randomBytes(40 * MIB);
let minio: Minio;
let folder: string;
let file: string;
const plugins: Plugin[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
  file = join(folder, "image.raw");
  writeFileSync(file, CONTENT);
  minio = await Minio.start("images");
});
afterAll(async () => {
  await Promise.all(plugins.map((plugin) => plugin.stop()));
  await minio?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** A provider as this project makes it: with the keys of the environment, by way of tools/s3. */
async function provider(origin = minio.origin, env: NodeJS.ProcessEnv = {}): Promise<Plugin> {
  const plugin = await Plugin.start("aws", TYPE, {
    config: {
      region: "us-east-1",
      endpoints: JSON.stringify([{ s3: origin }]),
      profile: "bootstrap-pxe",
      sharedConfigFiles: JSON.stringify(["tools/s3/config"]),
      s3UsePathStyle: "true",
      skipCredentialsValidation: "true",
      skipMetadataApiCheck: "true",
      skipRegionValidation: "true",
      skipRequestingAccountId: "true",
    },
    env: {
      IDRIVE_ACCESS_KEY: minio.keys.AWS_ACCESS_KEY_ID,
      IDRIVE_SECRET_KEY: minio.keys.AWS_SECRET_ACCESS_KEY,
      AWS_ACCESS_KEY_ID: "another-account",
      AWS_SECRET_ACCESS_KEY: "whose-key-is-not-to-win",
      ...env,
    },
  });
  plugins.push(plugin);
  return plugin;
}

const asset = (path: string, content: Buffer) => ({
  [specialSigKey]: specialAssetSig,
  hash: sha256Of(content),
  path,
});
const image = (key: string): Properties => ({
  bucket: "images",
  key,
  source: asset(file, CONTENT),
  contentType: "application/octet-stream",
});

/** SHA-256 of an object, as another client has it. */
async function downloaded(key: string): Promise<string> {
  const path = join(folder, "downloaded");
  await minio.curl("GET", `images/${key}`, "--output", path);
  const { stdout } = await inToolEnvironment("sha256sum", [path]);
  return stdout.slice(0, 64);
}
/** Parts of uploads that were neither ended nor given up. */
const unfinished = async () => (await minio.curl("GET", "images?uploads=")).match(/<UploadId>/g) ?? [];

test("a file in several parts arrives as it is", async () => {
  const plugin = await provider();
  const { state } = await plugin.create(image("in/parts.raw"));
  expect(await downloaded("in/parts.raw")).toBe(sha256Of(CONTENT));
  // An ETag of several parts ends with their number.
  expect(state.etag).toMatch(/^[0-9a-f]{32}-[2-9]/);
  const head = await minio.curl("HEAD", "images/in/parts.raw", "-I", "-H", "x-amz-checksum-mode: ENABLED");
  expect(head).toMatch(/content-type: application\/octet-stream/i);
  // The server has held each part to the checksum that came behind it.
  expect(head).toMatch(/^x-amz-checksum-crc\w+: \S+/im);
}, 120_000);

test("a text arrives, changes in place, and goes", async () => {
  const plugin = await provider();
  const inputs = { bucket: "images", key: "SHA256SUMS", content: "one\n", contentType: "text/plain" };
  const { state } = await plugin.create(inputs);
  expect(await minio.curl("GET", "images/SHA256SUMS")).toBe("one");
  await plugin.update(state, inputs, { ...inputs, content: "two\n" });
  expect(await minio.curl("GET", "images/SHA256SUMS")).toBe("two");
  await plugin.delete(state, inputs);
  await expect(minio.curl("GET", "images/SHA256SUMS")).rejects.toThrow("404");
});

test("a preview uploads nothing", async () => {
  const plugin = await provider();
  await plugin.create(image("preview.raw"), { preview: true });
  await expect(minio.curl("GET", "images/preview.raw")).rejects.toThrow("404");
});

describe("a change", () => {
  test("of the content updates, of the place replaces, of nothing is none", async () => {
    const plugin = await provider();
    const inputs = image("plan.raw");
    const differs = (change: Properties) => plugin.diff(inputs, inputs, { ...inputs, ...change });
    expect(await differs({})).toMatchObject({ changes: "DIFF_NONE" });
    expect(await differs({ source: asset(file, Buffer.from("other")) })).toMatchObject({
      changes: "DIFF_SOME",
      diffs: ["source"],
      replaces: [],
    });
    expect(await differs({ key: "elsewhere.raw" })).toMatchObject({ replaces: ["key"] });
    expect(await differs({ bucket: "others" })).toMatchObject({ replaces: ["bucket"] });
  });

  test("no bucket or no key is refused", async () => {
    const plugin = await provider();
    expect((await plugin.check({ content: "x" })).faults).toHaveProperty("bucket");
  });
});

describe("what goes wrong is one line that names no key", () => {
  test.each<[string, NodeJS.ProcessEnv, Properties, RegExp]>([
    [
      "a wrong secret key",
      { IDRIVE_SECRET_KEY: "wrong-secret" },
      {},
      /uploading s3:\/\/images\/fault\.raw at http:\/\/127\.0\.0\.1:\d+: .*SignatureDoesNotMatch.*does not take this key/,
    ],
    [
      "an unknown access key",
      { IDRIVE_ACCESS_KEY: "nobody" },
      {},
      /InvalidAccessKeyId.*does not take this key/,
    ],
    ["a missing bucket", {}, { bucket: "nowhere" }, /s3:\/\/nowhere\/.*NoSuchBucket.*Make it/],
  ])("%s", async (_what, env, change, says) => {
    const plugin = await provider(minio.origin, env);
    const failed = await plugin
      .create({ ...image("fault.raw"), ...change })
      .catch((fault: Error) => fault.message);
    expect(failed).toMatch(says);
    expect(failed).not.toMatch(/wrong-secret|throw-away/);
    expect(failed).not.toContain("\n");
    expect(await unfinished()).toEqual([]);
  });

  test("a server that is not there", async () => {
    const other = await Minio.start();
    await other.kill();
    const plugin = await provider(other.origin);
    const failed = await plugin
      .create({ bucket: "images", key: "x", content: "x" })
      .catch((fault: Error) => fault.message);
    await other.remove();
    expect(failed).toMatch(/ECONNREFUSED.*nothing answers there/);
  }, 180_000);
});

test("a server that dies in the middle and comes back has the whole file in the end", async () => {
  const proxy = await ThrottledProxy.start(minio.port, 8 * MIB);
  const plugin = await provider(proxy.origin);
  const uploading = plugin.create(image("died.raw"));
  while (proxy.passed < 4 * MIB) await pause(50);
  await minio.kill();
  await pause(2000);
  await minio.run();
  await uploading;
  proxy.close();
  expect(await downloaded("died.raw")).toBe(sha256Of(CONTENT));
  expect(await unfinished()).toEqual([]);
}, 180_000);

test("a slow server is waited for, and how far it is shows at most once a second", async () => {
  const proxy = await ThrottledProxy.start(minio.port, 6 * MIB);
  const plugin = await provider(proxy.origin);
  const lines: Line[] = [];
  plugin.shown.on("line", (line) => lines.push(line));
  const begun = Date.now();
  await plugin.create(image("slow.raw"));
  const seconds = (Date.now() - begun) / 1000;
  proxy.close();
  expect(await downloaded("slow.raw")).toBe(sha256Of(CONTENT));
  const told = lines.map(({ message }) => message);
  expect(told).toEqual(expect.arrayContaining([expect.stringMatching(/^slow\.raw: \d+ of 40 MiB, \d+ %$/)]));
  expect(told.length).toBeLessThanOrEqual(seconds);
}, 180_000);
