import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Checkout } from "../checkout";

let checkout: Checkout;
const STACKS = ["nuc1", "nuc2", "nuc3"];
const imageOf = (stack: string) => checkout.path(`artifacts/bootstrap/demo/${stack}.raw`);
const fleet = (...args: string[]) => checkout.script("commands/fleet.mjs", args);

beforeAll(async () => {
  checkout = new Checkout();
  for (const [index, artifactName] of STACKS.entries())
    await checkout.stack(artifactName, { artifactName, minipcMac: `52:54:00:00:00:0${index}` });
  await checkout.stack("bad", { artifactName: "bad", minipcMac: "01:00:00:00:00:00" });
  await checkout.pulumi("stack", "select", "nuc2");
});
afterAll(() => checkout.remove());

test.each([
  [["up"], "no stack is named"],
  [["pu", "nuc1"], "pu is not one of up, preview, destroy"],
  [["up", "nuc1", "nuc1"], "nuc1 is named twice"],
  [["up", "nuc9"], "there is no Pulumi.nuc9.yaml"],
  [["up", "nuc1", "--at-once", "none"], "--at-once none is not a count"],
  [["destroy", "nuc1"], "needs --yes"],
])("%j is refused in one line before anything is touched", async (args, found) => {
  const { exitCode, all } = await fleet(...args);
  expect(exitCode).toBe(1);
  expect(all).toContain(found);
  expect(existsSync(imageOf("nuc1"))).toBe(false);
});

test("two stacks that would make one image are refused before any is touched", async () => {
  checkout.set("nuc3", { artifactName: "nuc1" });
  const { exitCode, all } = await fleet("up", "--all");
  checkout.set("nuc3", { artifactName: "nuc3" });
  expect(exitCode).toBe(1);
  expect(all).toContain("nuc1 and nuc3 would both make artifacts/bootstrap/demo/nuc1.raw");
  expect(existsSync(imageOf("nuc1"))).toBe(false);
});

test("up brings up every stack but the one that cannot be, and says which", async () => {
  const layers = () => ["base", "netboot"].map((kind) => readdirSync(checkout.path("artifacts/cache", kind)));
  const before = layers();
  const { exitCode, all } = await fleet("up", "--all", "--at-once", "2");
  expect(exitCode).toBe(1);
  for (const stack of STACKS) {
    expect(all).toMatch(
      new RegExp(`^${stack} +done +[\\d.]+ s +artifacts/bootstrap/demo/${stack}\\.raw$`, "m"),
    );
    expect(readFileSync(imageOf(stack)).includes("EFI PART")).toBe(true);
  }
  expect(all).toMatch(/^bad +failed .*multicast address.*artifacts\/fleet\/bad\.log/m);
  expect(all).toMatch(/^up, 4 stacks: 3 done, 1 failed, in [\d.]+ s$/m);
  expect(all).toContain(
    "warning: The stacks nuc1, nuc2 and nuc3 have the same minipcIp 10.10.10.100 on 10.10.10.0/24",
  );
  expect(layers()).toEqual(before);
  const sums = readFileSync(checkout.path("artifacts/bootstrap/demo/SHA256SUMS"), "utf8");
  expect(sums.match(/\S+(?=\.raw$)/gm)).toEqual(expect.arrayContaining(STACKS));
  expect(readFileSync(checkout.path("artifacts/fleet/nuc1.log"), "utf8")).toContain("appliance-assembly");
  // What a person had selected stays selected.
  expect((await checkout.pulumi("stack", "--show-name")).stdout.trim()).toBe("nuc2");
});

test("the same again changes nothing; destroy removes the images", async () => {
  const again = await fleet("up", ...STACKS);
  expect(again.exitCode).toBe(0);
  expect(again.all).toMatch(/^up, 3 stacks: 3 unchanged, in /m);
  const gone = await fleet("destroy", ...STACKS, "--yes");
  expect(gone.exitCode).toBe(0);
  expect(gone.all).toMatch(/^destroy, 3 stacks: 3 done, in /m);
  expect(STACKS.filter((stack) => existsSync(imageOf(stack)))).toEqual([]);
});

test("Ctrl-C stops what runs, starts nothing more, and the same again goes on from there", async () => {
  const running = fleet("up", ...STACKS, "--at-once", "1");
  running.stderr?.on("data", (text) => {
    if (/nuc1: appliance-assembly runs/.test(String(text))) running.kill("SIGINT");
  });
  const { exitCode, all } = await running;
  expect(exitCode).toBe(130);
  expect(all).toMatch(/^up, 3 stacks: (1 done, 2|3) stopped, in /m);
  expect(all).not.toContain("nuc2: appliance-assembly");
  const again = await fleet("up", ...STACKS);
  expect(again.exitCode).toBe(0);
  expect(again.all).toMatch(/^up, 3 stacks: .*done, in /m);
});
