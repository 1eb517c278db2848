import { readFileSync, statSync, writeFileSync } from "node:fs";
import execa from "execa";
import { parse } from "yaml";
import { ofProcess } from "../../tools/setup/orphans.cjs";
import { Checkout } from "../checkout";
import { loopbackAddress, TalosApi } from "../talos-api";
import { inToolEnvironment } from "../tools";
import { processesIn, until } from "./aftermath";

let checkout: Checkout;
let controlPlane: string;
/** The client's key, as the client config has it. */
let key: string;
const running: TalosApi[] = [];

/** By its name's end alone, sops takes a talosconfig for a binary file. */
const AS_YAML = ["--input-type", "yaml", "--output-type", "yaml"];

async function opened(path: string): Promise<string> {
  const options = { env: { SOPS_AGE_KEY_FILE: checkout.env.SOPS_AGE_KEY_FILE } };
  const { exitCode, all, stdout } = await inToolEnvironment(
    "sops",
    ["decrypt", ...AS_YAML, checkout.path(path)],
    options,
  );
  expect([exitCode, all]).toEqual([0, stdout]);
  return stdout;
}

beforeAll(async () => {
  checkout = new Checkout();
  checkout.use({ SOPS_AGE_KEY_FILE: checkout.path("artifacts/identity/keys.txt"), SOPS_AGE_KEY: "" });
  execa.sync("git", ["init", "--quiet"], { cwd: checkout.top });
  const make = async (...args: string[]) => {
    const made = await checkout.script("commands/new.mjs", [...args, "--disk", "/dev/nvme0n1"]);
    expect([made.exitCode, made.all]).toEqual([0, expect.any(String)]);
  };
  const mac = (last: number) => ["--mac", `48:21:0b:12:34:0${last}`];
  await make("nuc1", ...mac(1), "--endpoint", "https://10.10.10.100:6443", "--make-age-key");
  await make("nuc2", ...mac(2), "--join", "nuc1", "--role", "worker");
  await make("nuc3", ...mac(3), "--join", "nuc1");
  controlPlane = await opened("config/nuc1.controlplane.yaml");
  const { contexts } = parse(await opened("config/nuc1.talosconfig")) as {
    contexts: Record<string, { key: string }>;
  };
  key = Object.values(contexts)[0]?.key ?? "";
  expect(key.length).toBeGreaterThan(50);
});
afterAll(async () => {
  await Promise.all(running.map((api) => api.stop()));
  checkout.remove();
});

async function serve(...options: string[]) {
  const api = await TalosApi.start(controlPlane, options);
  running.push(api);
  return api;
}
const node = (...args: string[]) => checkout.script("commands/node.mjs", args);

test("a control plane becomes a Ready node, and its kubeconfig a file for its owner alone", async () => {
  const api = await serve("--installing", "1");
  const file = checkout.path("artifacts/kubeconfig of nuc1");
  const args = ["--stack", "nuc1", "--bootstrap", "--kubeconfig", file, "--address", api.address];
  const { exitCode, stdout, all } = await node(...args);
  expect([exitCode, stdout]).toEqual([0, ""]);
  expect(all).toMatch(/^node: etcd is bootstrapped, after/m);
  expect(all).toMatch(/^node: the node is Ready, after/m);
  expect(all).toMatch(
    /^node: nuc1 is a Ready node\. Next:\nnode: {3}Ask the cluster, at https:\/\/10\.10\.10\.100:6443:\nnode: .*kubectl --kubeconfig '.*kubeconfig of nuc1' get nodes\nnode: {3}Then delete the VM/m,
  );
  expect(readFileSync(file, "utf8")).toMatch(/^apiVersion: v1\nkind: Config\n/);
  expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
  expect(api.count("bootstrapped")).toBe(1);

  writeFileSync(file, "mine");
  const again = await node(...args);
  expect([again.exitCode, again.all]).toEqual([
    1,
    expect.stringContaining("it is there already. Name another"),
  ]);
  expect(readFileSync(file, "utf8")).toBe("mine");
});

test("Ctrl-C ends a wait in one line; until then the client config is in no file, argument or variable", async () => {
  const address = loopbackAddress();
  const child = node("--stack", "nuc1", "--bootstrap", "--address", address);
  let said = "";
  child.all?.on("data", (piece: Buffer) => (said += piece.toString()));
  await until("it waits", () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${said}`);
    return said.includes("connection refused");
  });
  const grep = execa.sync("grep", ["-rlF", key, checkout.top], { reject: false });
  expect([grep.exitCode, grep.stdout]).toEqual([1, ""]);
  for (const { pid, command } of processesIn(checkout)) {
    expect(command).not.toContain(key);
    // Each look at the machine is a process of its own, which may have ended meanwhile.
    expect(ofProcess(() => readFileSync(`/proc/${pid}/environ`, "utf8"), "")).not.toContain(key);
  }
  const program = processesIn(checkout).find(({ command }) => /commands\/follow-node\.ts/.test(command));
  process.kill(program?.pid ?? NaN, "SIGINT");
  const { exitCode, all } = await child;
  expect(exitCode).toBe(130);
  expect(all?.trim().split("\n").at(-1)).toMatch(/^node: stopped by SIGINT\. Run the same command again/);
  await until("its end", () => processesIn(checkout).length === 0);
});

test.each([
  [["--stack", "nuc2", "--bootstrap"], "bootstrapping the stack nuc2: its mini-PC is a worker."],
  [["--stack", "nuc2", "--kubeconfig", "k"], "its mini-PC is a worker, which has none."],
  [
    ["--stack", "nuc3", "--bootstrap"],
    "bootstrapping the stack nuc3: it joins the cluster of another control plane",
  ],
  [["--stack", "nuc1", "--kubeconfig", "no/such/k"], "no/such is no folder that this user may write to."],
  [["--stack", "nuc9"], "reading the config of the stack nuc9: "],
])("%j is refused before any wait", async (args, words) => {
  const { exitCode, all } = await node(...args);
  expect(exitCode).toBe(1);
  expect(all).toContain(words);
  expect(all).not.toContain("waiting for");
});

test("a machine that joins has no client config of its own, and takes its cluster's", async () => {
  const { exitCode, all } = await node("--stack", "nuc2");
  expect([exitCode, all]).toEqual([
    1,
    expect.stringContaining(
      "talosConfig is not set, and there is no config/nuc2.talosconfig. Name its cluster's",
    ),
  ]);
  const api = await serve("--type", "worker");
  const named = ["--talosconfig", checkout.path("config/nuc1.talosconfig"), "--address", api.address];
  const worker = await node("--stack", "nuc2", ...named);
  expect([worker.exitCode, worker.all]).toEqual([0, expect.stringContaining("nuc2 is a Ready node")]);
});
