import { randomBytes } from "node:crypto";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { specialAssetSig, specialSigKey } from "@pulumi/pulumi/runtime/rpc";
import { providerArgs } from "../../stack/bucket";
import { READER, S3Server } from "../s3-server";
import { inToolEnvironment, sha256Of } from "../tools";
import { Plugin, type Line, type Properties } from "./plugin-client";
import { ThrottledProxy } from "./throttled-proxy";
import { MIB } from "../../stack/mib";

// As tools/plugins/s3-client.cjs has it, for the client of this test too.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";
const TYPE = "aws:s3/bucketObjectv2:BucketObjectv2";
/** Random, so that nothing on its way makes less of it; over one part of an upload in parts. */
const CONTENT = randomBytes(40 * MIB);
let server: S3Server;
let folder: string;
let file: string;
const plugins: Plugin[] = [];
/** What the real plugin does in its own way, or not at all (tools/plugins/README.md). */
const testStandIn = process.env.BOOTSTRAP_PXE_PLUGINS ? test.skip : test;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
  file = join(folder, "image.raw");
  writeFileSync(file, CONTENT);
  server = await S3Server.start("images");
});
afterAll(async () => {
  await Promise.all(plugins.map((plugin) => plugin.stop()));
  await server?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** A provider as this project makes it: with the keys of the environment, by way of tools/s3. */
async function provider(
  origin = server.origin,
  env: NodeJS.ProcessEnv = {},
  config: Properties = {},
): Promise<Plugin> {
  const keys = {
    IDRIVE_ACCESS_KEY: server.keys.AWS_ACCESS_KEY_ID,
    IDRIVE_SECRET_KEY: server.keys.AWS_SECRET_ACCESS_KEY,
    AWS_ACCESS_KEY_ID: "another-account",
    AWS_SECRET_ACCESS_KEY: "whose-key-is-not-to-win",
    ...env,
  };
  // All but text travels as JSON.
  const args = Object.entries(providerArgs({ endpoint: origin }, keys)).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const plugin = await Plugin.start("aws", TYPE, {
    config: { ...(Object.fromEntries(args) as Properties), ...config },
    env: keys,
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
  contentType: "application/x-raw-disk-image",
});

/** SHA-256 of an object, as another client has it. */
async function downloaded(key: string): Promise<string> {
  const path = join(folder, "downloaded");
  await server.curl("GET", `images/${key}`, "--output", path);
  const { stdout } = await inToolEnvironment("sha256sum", [path]);
  return stdout.slice(0, 64);
}
/** Keys of uploads that were neither ended nor given up. */
const unfinished = async () =>
  [...(await server.curl("GET", "images?uploads=")).matchAll(/<Upload>.*?<Key>([^<]*)/gs)].map(
    ([, key]) => key,
  );
/** What a call that is to fail says. */
const faultOf = (call: Promise<unknown>) =>
  call.then(
    () => "it did not fail",
    (fault: Error) => fault.message,
  );

test("a file in several parts arrives as it is", async () => {
  const plugin = await provider();
  const { state } = await plugin.create(image("in/parts.raw"));
  expect(await downloaded("in/parts.raw")).toBe(sha256Of(CONTENT));
  // An ETag of several parts ends with their number.
  expect(state.etag).toMatch(/^[0-9a-f]{32}-[2-9]/);
  const head = await server.curl("HEAD", "images/in/parts.raw", "-I");
  expect(head).toMatch(/content-type: application\/x-raw-disk-image/i);
});

test("a text arrives, changes in place, and goes", async () => {
  const plugin = await provider();
  const inputs = { bucket: "images", key: "SHA256SUMS", content: "one\n", contentType: "text/plain" };
  const { state } = await plugin.create(inputs);
  expect(await server.curl("GET", "images/SHA256SUMS")).toBe("one");
  await plugin.update(state, inputs, { ...inputs, content: "two\n" });
  expect(await server.curl("GET", "images/SHA256SUMS")).toBe("two");
  await plugin.delete(state, inputs);
  await expect(server.curl("GET", "images/SHA256SUMS")).rejects.toThrow("404");
});

test("the server takes a checksum that comes behind a streamed body, as the real plugin sends it", async () => {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = server.keys;
  const client = new S3Client({
    region: "us-east-1",
    endpoint: server.origin,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  let trailer: string | undefined;
  client.middlewareStack.add(
    (next) => (args) => {
      trailer = (args.request as { headers: Record<string, string> }).headers["x-amz-trailer"];
      return next(args);
    },
    { step: "deserialize" },
  );
  const Body = createReadStream(file);
  await client.send(
    new PutObjectCommand({ Bucket: "images", Key: "trailer.raw", Body, ContentLength: CONTENT.length }),
  );
  client.destroy();
  expect(trailer).toBe("x-amz-checksum-crc32");
  expect(await downloaded("trailer.raw")).toBe(sha256Of(CONTENT));
});

test("a refresh finds an object while it is there", async () => {
  const plugin = await provider();
  const inputs = { bucket: "images", key: "looked-for", content: "x" };
  const { state } = await plugin.create(inputs);
  expect((await plugin.read(state, inputs)).state).toMatchObject({ key: "looked-for" });
  await server.curl("DELETE", "images/looked-for");
  expect((await plugin.read(state, inputs)).state).toEqual({});
});

testStandIn("a file that is no longer what Pulumi saw is not published", async () => {
  const plugin = await provider();
  const source = asset(file, Buffer.from("what it was"));
  expect(await faultOf(plugin.create({ ...image("changed.raw"), source }))).toMatch(
    /image\.raw is not what it was when this began \(Changed\): let nothing write to it\. Then run the same again$/,
  );
  await expect(server.curl("GET", "images/changed.raw")).rejects.toThrow("404");
  expect(await unfinished()).toEqual([]);
});

test("a preview uploads nothing", async () => {
  const plugin = await provider();
  await plugin.create(image("preview.raw"), { preview: true });
  await expect(server.curl("GET", "images/preview.raw")).rejects.toThrow("404");
});

describe("a change", () => {
  test("of the content updates, of the place replaces, and without one nothing happens", async () => {
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

describe("a failure is one line that does not have the key", () => {
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
    [
      "a key that may only read",
      {
        IDRIVE_ACCESS_KEY: READER.AWS_ACCESS_KEY_ID,
        IDRIVE_SECRET_KEY: READER.AWS_SECRET_ACCESS_KEY,
      },
      {},
      /AccessDenied.*the key may not do this\. Give it leave to write.*s3:PutObject/,
    ],
    ["a missing bucket", {}, { bucket: "nowhere" }, /s3:\/\/nowhere\/.*NoSuchBucket.*Make it/],
  ])("%s", async (_what, env, change, says) => {
    const plugin = await provider(server.origin, env);
    const failed = await faultOf(plugin.create({ ...image("fault.raw"), ...change }));
    expect(failed).toMatch(says);
    for (const key of ["wrong-secret", ...Object.values(server.keys), ...Object.values(READER)])
      expect(failed).not.toContain(key);
    expect(failed).not.toContain("\n");
    expect(await unfinished()).toEqual([]);
  });

  test("a server that is not there", async () => {
    const other = await S3Server.start();
    await other.kill();
    const plugin = await provider(other.origin, {}, { maxRetries: "2" });
    const failed = await faultOf(plugin.create({ bucket: "images", key: "x", content: "x" }));
    await other.remove();
    expect(failed).toMatch(/ECONNREFUSED after 2 of 2 tries\): nothing answers there/);
  });

  test("a server that dies for good in the middle", async () => {
    const other = await S3Server.start("images");
    const proxy = await ThrottledProxy.start(other.port, 8 * MIB);
    const plugin = await provider(proxy.origin, {}, { maxRetries: "2" });
    const failing = faultOf(plugin.create(image("died.raw")));
    while (proxy.passed < 2 * MIB) await pause(50);
    await other.remove();
    const failed = await failing;
    proxy.close();
    expect(failed).toMatch(/after 2 of 2 tries\): the connection stalled or broke off, at each try/);
    expect(failed).not.toContain("\n");
  });

  testStandIn("a server that falls silent, for longer than the limit", async () => {
    const proxy = await ThrottledProxy.start(server.port, 8 * MIB);
    const limit = { BOOTSTRAP_PXE_STALL_SECONDS: "1" };
    const plugin = await provider(proxy.origin, limit, { maxRetries: "2" });
    let isOver = false;
    const failing = faultOf(plugin.create(image("silent.raw"))).finally(() => (isOver = true));
    // A busy machine may itself be silent for longer than the limit.
    while (proxy.passed < 2 * MIB && !isOver) await pause(50);
    proxy.hold();
    const failed = await failing;
    proxy.close();
    expect(failed).toMatch(/TimeoutError.*the connection stalled or broke off, at each try/);
  });
});

testStandIn("a server may be silent for less than the limit", async () => {
  const proxy = await ThrottledProxy.start(server.port, 16 * MIB);
  const limit = { BOOTSTRAP_PXE_STALL_SECONDS: "60" };
  const plugin = await provider(proxy.origin, limit, { maxRetries: "1" });
  const uploading = plugin.create(image("paused.raw"));
  while (proxy.passed < 2 * MIB) await pause(50);
  proxy.hold();
  await pause(1000);
  proxy.release();
  await uploading;
  proxy.close();
  expect(await downloaded("paused.raw")).toBe(sha256Of(CONTENT));
});

testStandIn("an upload that is stopped leaves no parts on the server", async () => {
  const proxy = await ThrottledProxy.start(server.port, 4 * MIB);
  const plugin = await provider(proxy.origin);
  const stopping = faultOf(plugin.create(image("stopped.raw")));
  while (!(await unfinished()).includes("stopped.raw")) await pause(50);
  await plugin.cancel();
  expect(await stopping).toMatch(
    /uploading s3:\/\/images\/stopped\.raw at .*: it was stopped\. Run the same/,
  );
  proxy.close();
  expect(await unfinished()).not.toContain("stopped.raw");
});

test("a server that goes away in the middle and comes back has the whole file in the end", async () => {
  const proxy = await ThrottledProxy.start(server.port, 8 * MIB);
  const plugin = await provider(proxy.origin);
  const uploading = plugin.create(image("died.raw"));
  while (proxy.passed < 4 * MIB) await pause(50);
  proxy.goAway();
  await pause(3000);
  proxy.comeBack();
  await uploading;
  proxy.close();
  expect(await downloaded("died.raw")).toBe(sha256Of(CONTENT));
  expect(await unfinished()).not.toContain("died.raw");
});

testStandIn("how far it is shows at most once a second, and moves between two parts", async () => {
  const proxy = await ThrottledProxy.start(server.port, 4 * MIB);
  const plugin = await provider(proxy.origin);
  const lines: Line[] = [];
  plugin.shown.on("line", (line) => lines.push(line));
  const begun = Date.now();
  await plugin.create(image("slow.raw"));
  const seconds = (Date.now() - begun) / 1000;
  proxy.close();
  const figures = lines.map(({ message }) => /^\d+ %, (\d+) of 40 MiB of slow\.raw$/.exec(message)?.[1]);
  expect(figures.length).toBeLessThanOrEqual(seconds);
  expect(figures.every((figure) => figure !== undefined)).toBe(true);
  expect(new Set(figures).size).toBe(figures.length);
  // Parts have 16 MiB, the last one 8.
  expect(figures.filter((figure) => Number(figure) % 8 !== 0)).not.toEqual([]);
});
