import { readFileSync, writeFileSync } from "node:fs";
import { Checkout } from "../checkout";

/** A port on which nothing listens. */
const DEAD = "http://127.0.0.1:9";
let checkout: Checkout;

beforeAll(() => {
  checkout = new Checkout();
});
afterAll(() => checkout.remove());

test("behind a proxy that is dead, Pulumi's engine and this program still talk with each other", async () => {
  checkout.use({
    ...{ http_proxy: DEAD, https_proxy: DEAD, all_proxy: DEAD },
    ...{ HTTP_PROXY: DEAD, HTTPS_PROXY: DEAD, ALL_PROXY: DEAD },
    // The tests' own, which are not everybody's.
    ...{ no_grpc_proxy: "", no_proxy: "", NO_PROXY: "" },
  });
  await checkout.stack("proxied");
  const { exitCode, all } = await checkout.pulumi("preview", "--stack", "proxied");
  expect({ exitCode, all: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, all: "" });
});

test("a key that Pulumi.yaml sets for the project goes for its stacks, unless one sets it itself", async () => {
  const path = checkout.path("Pulumi.yaml");
  const before = readFileSync(path, "utf8");
  const after = before.replace(/(isoUrl:\n.*\n) *default: ""/, "$1    value: ftp://mirror/talos.iso");
  expect(after).not.toBe(before);
  writeFileSync(path, after);
  await checkout.stack("own");
  await checkout.stack("project");
  const stack = checkout.path("Pulumi.project.yaml");
  writeFileSync(stack, readFileSync(stack, "utf8").replace(/^.*isoUrl: .*\n/m, ""));
  const said = async (stack: string) => (await checkout.pulumi("preview", "--stack", stack)).all;
  expect(await said("project")).toContain(
    'isoUrl = "ftp://mirror/talos.iso": neither an https:// nor a file:// URL',
  );
  const own = await said("own");
  expect(own).toContain("What is reused and what runs");
  expect(own).not.toContain("ftp://mirror");
});
