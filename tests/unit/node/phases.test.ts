import {
  ETCD,
  faultWords,
  INSTALLED,
  KUBERNETES,
  lasting,
  lookFor,
  phasesAfter,
  READY,
} from "../../../commands/node/phases";
import { nextLines, stayLine } from "../../../commands/node/next-lines";
import { whyNoBootstrap } from "../../../commands/node/role";
import type { MachineStatus } from "../../../steps/talos/talos-client";

const STATUS: MachineStatus = {
  version: "v1.11.6",
  type: "controlplane",
  netbooted: false,
  stage: "running",
  ready: true,
  unmet: [],
  services: { etcd: { state: "Running", healthy: true, last: "Health check successful" } },
  known: true,
};
const status = (more: Partial<MachineStatus>) => ({ answer: { ...STATUS, ...more } });

test.each(["installing", "maintenance", "rebooting", "upgrading", "resetting", "shutting down", ""])(
  "a machine that calls itself ready at the stage %j is neither installed nor Ready",
  (stage) => {
    const seen = status({ stage });
    expect(lookFor(INSTALLED, seen)).not.toHaveProperty("there");
    expect(lookFor(READY, seen)).not.toHaveProperty("there");
  },
);

test("while it boots, what Talos misses is said", () => {
  const unmet = [
    { name: "time", reason: "time is not synced" },
    { name: "services", reason: "kubelet not running" },
  ];
  const seen = status({ stage: "booting", ready: false, unmet });
  expect(lookFor(INSTALLED, seen)).toHaveProperty("there");
  expect(lookFor(READY, seen)).toEqual({ still: "time is not synced; kubelet not running" });
});

test.each([
  [{}, "Talos has not started etcd yet"],
  [{ etcd: { state: "Preparing", healthy: false, last: "" } }, "etcd is Preparing and not healthy"],
  [
    { etcd: { state: "Failed", healthy: false, last: "Failed to pull image" } },
    "etcd is Failed and not healthy, Failed to pull image",
  ],
])("of services %j it is said that %s", (services, still) => {
  expect(lookFor(ETCD, status({ services }))).toEqual({ still });
});

test("an installed machine that was started over the network is not said to run from its disk", () => {
  expect(INSTALLED.done(STATUS)).toBe("Talos runs from its disk");
  expect(INSTALLED.done({ ...STATUS, netbooted: true })).toMatch(/this start came over the network/);
});

test("Kubernetes answers once it has the node, and until then the node says what it misses", () => {
  const unmet = [{ name: "staticPods", reason: "kube-system/kube-apiserver-nuc1 pending" }];
  expect(lookFor(KUBERNETES, status({ ready: false, unmet }))).toHaveProperty("there");
  expect(lookFor(KUBERNETES, status({ known: false, unmet }))).toEqual({
    still: "kube-system/kube-apiserver-nuc1 pending",
  });
  expect(lookFor(KUBERNETES, status({ known: false }))).toEqual({
    still: "it has not told Talos of the node yet",
  });
});

test("a worker has no etcd to wait for", () => {
  expect(phasesAfter("worker")).not.toContain(ETCD);
  expect(phasesAfter("controlplane")[0]).toBe(ETCD);
});

test("what time may heal is waited for, and only that", () => {
  const kinds = ["unreachable", "lost", "clock", "exists", "not-yet", "other"] as const;
  for (const kind of kinds) expect(lasting({ kind, words: "" })).toBeUndefined();
  for (const kind of ["certificate", "name", "forbidden", "unimplemented"] as const)
    expect(lasting({ kind, words: "" })).toEqual(expect.any(String));
  expect(faultWords({ kind: "unreachable", words: "no route to host" })).toBe("no route to host");
});

test.each<[boolean, string, string[], string | undefined]>([
  [false, "controlplane", [], undefined],
  [false, "", [], undefined],
  [false, "worker", [], "its mini-PC is a worker"],
  [true, "controlplane", [], "it joins the cluster of another control plane (joins)"],
  [
    false,
    "controlplane",
    ["nuc2", "nuc3"],
    "its cluster is also that of nuc2, nuc3, which may start it, too",
  ],
])("joins %j, type %j, others %j: bootstrap is refused by %j", (joins, type, others, found) => {
  expect(whyNoBootstrap(joins, type, others)?.[0]).toBe(found);
});

test("what is next depends on where the node is, and on what was fetched", () => {
  const endpoint = "https://talos.example:6443";
  const reached = { stack: "nuc1", endpoint, offline: false, netbooted: false };
  expect(nextLines({ ...reached, onLink: true }, "/home/me/kubeconfig")).toEqual([
    "nuc1 is a Ready node. Next:",
    "  Ask the cluster, at https://talos.example:6443:",
    "    kubectl --kubeconfig '/home/me/kubeconfig' get nodes",
    "  The appliance is its clock, its resolver and its way out on this link: without it, it needs others (docs/lasting-network.md)",
    "  Then delete the VM, its image and the copies of it: they hold secrets (docs/runbook.md, part 8)",
  ]);
  expect(nextLines({ ...reached, onLink: false })).toHaveLength(2);
  const odd = nextLines({ ...reached, onLink: false, offline: true, netbooted: true });
  expect(odd.slice(1)).toEqual([
    expect.stringContaining("Put its disk first"),
    expect.stringContaining("Remove its mirrors"),
    expect.stringContaining("stack output mirrorRemoval --stack nuc1"),
    expect.stringContaining("Then delete the VM"),
  ]);
});

test("before a cluster is started where it may not stay, an offline stack's mirrors are named, too", () => {
  const endpoint = "https://192.168.1.50:6443";
  const plain = stayLine("10.10.10.100", { endpoint, offline: false });
  expect(plain).toMatch(/keeps the address that it is started at, 10\.10\.10\.100, .* move it first/);
  expect(plain).not.toContain("mirrors");
  expect(stayLine("10.10.10.100", { endpoint, offline: true })).toContain("remove its mirrors there");
});
