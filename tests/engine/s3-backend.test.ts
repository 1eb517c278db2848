import { existsSync } from "node:fs";
import { Checkout } from "../checkout";
import { S3Server } from "../s3-server";

const STACKS = ["nuc1", "nuc2"];
let server: S3Server;
let first: Checkout;
let second: Checkout;
const objects = async () =>
  [...(await server.curl("GET", "states?list-type=2")).matchAll(/<Key>([^<]*)<\/Key>/g)].map(
    ([, key]) => key ?? "",
  );

beforeAll(async () => {
  server = await S3Server.start("states");
  // It lists an emptied folder as an object of no bytes, which Pulumi takes for a lock (pulumi/pulumi#23532).
  for (const stack of STACKS)
    await server.curl("PUT", `states/.pulumi/locks/organization/bootstrap-pxe/${stack}/kept/object`);
  const backend = {
    ...server.keys,
    AWS_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    PULUMI_BACKEND_URL: `s3://states?endpoint=${server.address}&disableSSL=true&s3ForcePathStyle=true&region=us-east-1`,
  };
  [first, second] = [new Checkout(), new Checkout()];
  for (const checkout of [first, second]) checkout.use(backend);
});
afterAll(async () => {
  for (const checkout of [first, second]) checkout?.remove();
  await server?.remove();
});

test("the fleet's state is in the bucket, and another checkout goes on from it", async () => {
  for (const [index, artifactName] of STACKS.entries())
    await first.stack(artifactName, { artifactName, minipcMac: `52:54:00:00:00:1${index}` });
  const up = await first.script("commands/fleet.mjs", ["up", "--all"]);
  expect(up.all).toMatch(/^up, 2 stacks: 2 done, in /m);
  expect(await objects()).toEqual(
    expect.arrayContaining(STACKS.map((stack) => `.pulumi/stacks/bootstrap-pxe/${stack}.json`)),
  );
  expect(existsSync(first.path(".pulumi-state"))).toBe(false);

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
});

test("destroy leaves neither a lock nor an image", async () => {
  const gone = await first.script("commands/fleet.mjs", ["destroy", ...STACKS, "--yes"]);
  expect(gone.all).toMatch(/^destroy, 2 stacks: 2 done, in /m);
  expect((await objects()).filter((name) => /locks\/.*\.json/.test(name))).toEqual([]);
  expect(STACKS.filter((stack) => existsSync(first.path(`artifacts/bootstrap/demo/${stack}.raw`)))).toEqual(
    [],
  );
});
