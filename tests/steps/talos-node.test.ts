import { once } from "node:events";
import { createServer } from "node:net";
import { follow, type Request } from "../../commands/node/follow";
import { Waiting } from "../../commands/node/wait";
import { TalosClient } from "../../steps/talos/talos-client";
import type { GeneratedConfigs } from "../../steps/talos/talos-config";
import { loopbackAddress, TalosApi } from "../talos-api";
import { talosConfigs } from "../talos-configs";
import { inToolEnvironment } from "../tools";

let ours: GeneratedConfigs;
let theirs: GeneratedConfigs;
beforeAll(async () => {
  [ours, theirs] = await Promise.all([talosConfigs(), talosConfigs()]);
});

const running: TalosApi[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((api) => api.stop()));
});
async function serve(options: string[] = [], configs = ours, address?: string) {
  const api = await TalosApi.start(configs.controlplane, options, { address });
  running.push(api);
  return api;
}

/** Follows a machine as `npm run node` does, without pauses; each line that it says can be answered. */
async function followed(
  address: string,
  asked: Partial<Request> = {},
  {
    minutes = 30,
    talosConfig = ours.talosconfig,
    onLine = undefined as ((line: string) => unknown) | undefined,
  } = {},
) {
  const lines: string[] = [];
  const stop = new AbortController();
  const context = {
    signal: stop.signal,
    log: (line: string) => {
      lines.push(line);
      onLine?.(line);
    },
  };
  const clock = { now: () => performance.now(), pause: () => new Promise<void>((go) => setTimeout(go, 5)) };
  const ended = follow({
    context,
    client: new TalosClient(context, { talosVersion: "v1.11.6", address, talosConfig }),
    waiting: new Waiting(context, minutes, clock),
    request: { address, bootstrap: false, kubeconfig: false, ...asked },
  });
  const [result] = await Promise.allSettled([ended]);
  return {
    lines,
    /** Without the times, which no two runs share. */
    said: lines.map((line) => line.replace(/[\d.]+ s$/, "N s")),
    made: result.status === "fulfilled" ? result.value : undefined,
    fault: result.status === "rejected" ? (result.reason as Error).message : undefined,
  };
}
/** So short that nothing but what is there at the first look comes in time. */
const AT_ONCE = 1e-9;

test("a first control plane is followed from its installation to Ready, bootstrapped once, and gives its kubeconfig", async () => {
  const api = await serve(["--installing", "2", "--unsynced", "1"]);
  const { said, made, fault } = await followed(api.address, { bootstrap: true, kubeconfig: true });
  expect(fault).toBeUndefined();
  expect(said).toEqual([
    `waiting for Talos to answer at ${api.address}, port 50000`,
    "Talos v1.11.6 answers, after N s",
    "waiting for Talos to be installed and started from its disk",
    "waiting for Talos to be installed and started from its disk: it is installing",
    "Talos runs from its disk, after N s",
    "waiting for bootstrap to be accepted",
    "waiting for bootstrap to be accepted: time is not in sync yet",
    "etcd is bootstrapped, after N s",
    "waiting for etcd",
    "etcd is healthy, after N s",
    "waiting for kubelet",
    "kubelet is healthy, after N s",
    "waiting for Kubernetes to answer",
    "Kubernetes answers, and has the node, after N s",
    "waiting for Kubernetes to call the node Ready",
    'waiting for Kubernetes to call the node Ready: node "nuc1" is not ready',
    "the node is Ready, after N s",
    "waiting for the kubeconfig",
    "the kubeconfig is fetched, after N s",
    "all of it took N s",
  ]);
  expect(made?.kubeconfig).toMatch(/^apiVersion: v1\nkind: Config\n/);
  expect(api.count("bootstrapped")).toBe(1);
});

test("where nothing answers yet it says so, and goes on when Talos comes", async () => {
  const address = loopbackAddress();
  let coming: Promise<TalosApi> | undefined;
  const onLine = (line: string) => {
    if (line.includes("connection refused")) coming ??= serve(["--etcd", "runs"], ours, address);
  };
  const { said, fault } = await followed(address, {}, { onLine });
  await coming;
  expect(fault).toBeUndefined();
  expect(said).toContain(
    `waiting for Talos to answer at ${address}, port 50000: dial tcp ${address}:50000: connect: connection refused`,
  );
  expect(said).toContain("the node is Ready, after N s");
});

test("where nothing ever answers it gives up in one line that says what to look at", async () => {
  const { fault } = await followed(loopbackAddress(), {}, { minutes: AT_ONCE });
  expect(fault).toMatch(
    /^waiting for Talos to answer at [\d.]+, port 50000: not there after .* connection refused\. See that the mini-PC is on/,
  );
});

test.each([
  ["[::1]", /: dial tcp \[::1\]:50000: .*\. See that/],
  ["nowhere.invalid", /: its name has no address here\. See that/],
])("at %s it waits, since nothing is there yet", async (address, words) => {
  const { fault } = await followed(address, {}, { minutes: AT_ONCE });
  expect(fault).toMatch(words);
});

test("a port that takes connections and says nothing is no answer in time", async () => {
  const [silent, address] = [createServer(), loopbackAddress()];
  silent.listen(50000, address);
  await once(silent, "listening");
  const args = ["--address", address, "--seconds", "1", "status"];
  const { stdout } = await inToolEnvironment("talos-client-1.11", args, { input: ours.talosconfig });
  silent.close();
  expect(JSON.parse(stdout)).toEqual({ fault: { kind: "unreachable", words: "no connection in time" } });
});

test("a machine of another cluster is refused at once", async () => {
  const api = await serve([], theirs);
  const { lines, fault } = await followed(api.address, { bootstrap: true });
  expect(fault).toMatch(
    /^asking [\d.]+: .*unknown authority.*\. The client config and the machine there are of different clusters/,
  );
  expect(lines).toHaveLength(1);
});

test("an address that the machine's certificate is not for is refused at once", async () => {
  const api = await serve(["--certificate-for", "10.10.10.100"]);
  const { fault } = await followed(api.address);
  expect(fault).toMatch(
    /^asking [\d.]+: .*certificate is valid for 10\.10\.10\.100, not [\d.]+\. Set --address/,
  );
});

test("a client that the machine refuses is told so at once", async () => {
  const api = await serve();
  // The authority is right, the key that it should have signed is another's.
  const [own, other] = [ours, theirs].map(({ talosconfig }) => talosconfig.split("\n"));
  const ca = own?.find((line) => /^\s+ca:/.test(line)) ?? "";
  const talosConfig = (other ?? []).map((line) => (/^\s+ca:/.test(line) ? ca : line)).join("\n");
  const { fault } = await followed(api.address, {}, { talosConfig });
  expect(fault).toMatch(
    /^asking [\d.]+: .*certificate.*\. The client config and the machine there are of different clusters/,
  );
});

test("certificates that the clocks do not fit are waited for, since the time may still be set", async () => {
  const api = await serve(["--certificate-age", "48h"]);
  const { fault } = await followed(api.address, {}, { minutes: AT_ONCE });
  expect(fault).toMatch(
    /: its clock and this one's differ, or a certificate is old \(.*expired or is not yet valid/,
  );
});

test("etcd that is there already is said, is no fault, and is not asked for", async () => {
  const api = await serve(["--etcd", "runs"]);
  const { said, fault } = await followed(api.address, { bootstrap: true });
  expect(fault).toBeUndefined();
  expect(said).toContain("etcd was started before: bootstrap is not done again");
  expect(api.count("asked for bootstrap")).toBe(0);
});

test("etcd that has data and does not run yet is not bootstrapped again", async () => {
  const api = await serve(["--etcd", "data"]);
  const { said, fault } = await followed(api.address, { bootstrap: true });
  expect(fault).toBeUndefined();
  expect(said).toContain("etcd was started before: bootstrap is not done again, after N s");
  expect([api.count("asked for bootstrap"), api.count("bootstrapped")]).toEqual([1, 0]);
});

test("bootstrap whose answer is lost is not asked for again", async () => {
  const before = await serve(["--drops"]);
  let after: Promise<TalosApi> | undefined;
  const onLine = (line: string) => {
    if (line.includes("the answer lost")) after ??= serve(["--etcd", "data"], ours, before.address);
  };
  const { said, fault } = await followed(before.address, { bootstrap: true }, { onLine });
  expect(fault).toBeUndefined();
  expect(said).toContain("the node is Ready, after N s");
  expect(before.count("bootstrapped")).toBe(1);
  expect((await after)?.count("asked for bootstrap")).toBe(0);
});

test("etcd that never comes ends the wait with how far it is", async () => {
  const api = await serve(["--etcd", "stuck"]);
  const { fault } = await followed(api.address, { bootstrap: true }, { minutes: AT_ONCE });
  expect(fault).toMatch(
    /^waiting for etcd: not there after .*: etcd is Preparing and not healthy, Running pre state\. Look at/,
  );
  expect(api.count("bootstrapped")).toBe(1);
});

test("without --bootstrap, a cluster that nobody started is named as the cause", async () => {
  const api = await serve();
  const { fault } = await followed(api.address, {}, { minutes: AT_ONCE });
  expect(fault).toContain("on the first control plane, and only there, run it again with --bootstrap");
  expect(api.count("asked for bootstrap")).toBe(0);
});

test("a machine that is started over the network though it is installed is followed, and that is said", async () => {
  const api = await serve(["--etcd", "runs", "--netbooted"]);
  const { said, made, fault } = await followed(api.address);
  expect(fault).toBeUndefined();
  expect(said).toContain(
    "Talos is installed, but this start came over the network, not from its disk, after N s",
  );
  expect(made?.status.netbooted).toBe(true);
});

test("a worker is followed to Ready without any etcd", async () => {
  const api = await serve(["--type", "worker", "--installing", "1"]);
  const { said, made, fault } = await followed(api.address);
  expect(fault).toBeUndefined();
  expect(made?.status.type).toBe("worker");
  expect(said.join("\n")).not.toContain("etcd");
  expect(said).toContain("kubelet is healthy, after N s");
});

test.each<[Partial<Request>, string]>([
  [{ bootstrap: true }, "for bootstrap: the machine there is a worker."],
  [{ kubeconfig: true }, "for the kubeconfig: the machine there is a worker."],
])("a worker is not asked for %j", async (asked, words) => {
  const api = await serve(["--type", "worker"]);
  const { fault } = await followed(api.address, asked);
  expect(fault).toContain(words);
  expect(api.lines).toHaveLength(1);
});

test.each([
  ["not: a client config", 'it has no context "", which it names as its own'],
  ["contexts: [", "it is not one that Talos reads"],
  ["context: home\ncontexts: {home: {crt: c2VjcmV0, key: c2VjcmV0}}", "could not load client key pair"],
])("of a client config %j one line says what is wrong with it", async (talosConfig, words) => {
  const { fault } = await followed(loopbackAddress(), {}, { talosConfig });
  expect(fault).toMatch(
    /^reading the client config: .*\. Name the file made with the machine config by --talosconfig/,
  );
  expect(fault).toContain(words);
});
