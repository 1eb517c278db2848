import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import execa, { type ExecaChildProcess } from "execa";
import { toolEnvironment } from "../tools";
import { Checkout } from "../../tools/checkout";

const STACKS = ["nuc1", "nuc2"];
// Keys of a server that lives as long as this test.
const KEYS = { AWS_ACCESS_KEY_ID: "throw-away", AWS_SECRET_ACCESS_KEY: "throw-away-too" };
let server: ExecaChildProcess;
let folder: string;
let first: Checkout;
let second: Checkout;
const objects = () => readdirSync(join(folder, "states"), { recursive: true }).map(String);

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

async function untilReady(origin: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const answer = await fetch(`${origin}/minio/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    if (server.exitCode !== null) throw new Error(`minio ended: ${(await server).all}`);
    await pause(100);
  }
  throw new Error("minio: not ready within a minute");
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "minio-"));
  const address = `127.0.0.1:${await freePort()}`;
  server = execa("minio", ["server", folder, "--address", address, "--console-address", "127.0.0.1:0"], {
    env: {
      ...toolEnvironment,
      HOME: folder,
      MINIO_ROOT_USER: KEYS.AWS_ACCESS_KEY_ID,
      MINIO_ROOT_PASSWORD: KEYS.AWS_SECRET_ACCESS_KEY,
      MINIO_BROWSER: "off",
      MINIO_UPDATE: "off",
    },
    all: true,
    reject: false,
  });
  await untilReady(`http://${address}`);
  const signing = ["--aws-sigv4", "aws:amz:us-east-1:s3", "-u", Object.values(KEYS).join(":")];
  await execa("curl", ["-fsS", "-X", "PUT", ...signing, `http://${address}/states`]);
  const backend = {
    ...KEYS,
    AWS_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    PULUMI_BACKEND_URL: `s3://states?endpoint=${address}&disableSSL=true&s3ForcePathStyle=true&region=us-east-1`,
  };
  [first, second] = [new Checkout(), new Checkout()];
  for (const checkout of [first, second]) checkout.use(backend);
});
afterAll(async () => {
  server?.kill();
  await server;
  for (const checkout of [first, second]) checkout?.remove();
  rmSync(folder, { recursive: true, force: true });
});

test("the fleet's state is in the bucket, and another checkout goes on from it", async () => {
  for (const [index, artifactName] of STACKS.entries())
    await first.stack(artifactName, { artifactName, minipcMac: `52:54:00:00:00:1${index}` });
  const up = await first.script("tools/fleet.mjs", ["up", "--all"]);
  expect(up.all).toMatch(/^up, 2 stacks: 2 done, in /m);
  for (const stack of STACKS)
    expect(objects()).toContain(`.pulumi/stacks/bootstrap-pxe/${stack}.json/xl.meta`);
  expect(readdirSync(first.path(".pulumi-state"))).toEqual([]);

  const { stdout } = await second.pulumi("stack", "ls", "--json");
  expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name).sort()).toEqual(STACKS);
  for (const stack of STACKS) {
    const [told, known] = [
      await first.output(stack, "imageSha256"),
      await second.output(stack, "imageSha256"),
    ];
    expect(told).toMatch(/^[0-9a-f]{64}$/);
    expect(known).toBe(told);
  }
}, 300_000);

test("destroy leaves no lock, and an image no longer", async () => {
  const gone = await first.script("tools/fleet.mjs", ["destroy", ...STACKS, "--yes"]);
  expect(gone.all).toMatch(/^destroy, 2 stacks: 2 done, in /m);
  expect(objects().filter((name) => /locks\/.*\.json/.test(name))).toEqual([]);
  expect(STACKS.filter((stack) => existsSync(first.path(`artifacts/bootstrap/demo/${stack}.raw`)))).toEqual(
    [],
  );
}, 120_000);
