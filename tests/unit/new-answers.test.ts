import { machineOf } from "../../stack/config/defaults";
import { pathIn, plan, refusalOf, type Answers, type Cluster } from "../../commands/new/answers";

const GOOD: Answers = { mac: "48:21:0b:12:34:56", disk: "/dev/nvme0n1", endpoint: "talos.example" };
const file = (stack: string, given: Record<string, string>) => ({
  ...{ stack, given, misread: [] },
  machine: machineOf(given),
});
const planned = (answers: Answers, others = [] as ReturnType<typeof file>[], cluster?: Cluster) =>
  plan("nuc1", answers, others, cluster, "2025-12-17");
/** Every fault, as the command line is told it. */
const faults = (answers: Answers, cluster?: Cluster) =>
  planned({ ...GOOD, ...answers }, [], cluster).faults.map(({ answer, text }) => `${answer}: ${text}`);

test("three answers are enough for a control plane of its own", () => {
  expect(planned(GOOD)).toEqual({
    faults: [],
    suggestedLease: "10.10.10.100",
    plan: {
      stack: "nuc1",
      role: "controlplane",
      cluster: "nuc1",
      endpoint: "https://talos.example:6443",
      disk: "/dev/nvme0n1",
      talosVersion: "v1.11.6",
      installImage: "ghcr.io/siderolabs/installer:v1.11.6",
      minipcIp: "10.10.10.100",
      machineConfig: "config/nuc1.controlplane.yaml",
      talosConfig: "config/nuc1.talosconfig",
      config: {
        talosVersion: "v1.11.6",
        bootstrapVersion: "2025-12-17",
        minipcMac: "48:21:0b:12:34:56",
        machineConfig: "config/nuc1.controlplane.yaml",
        artifactName: "nuc1",
      },
    },
  });
});

test("a schematic is used for the ISO and for the installer", () => {
  const schematic = "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515";
  for (const given of [schematic, schematic.toUpperCase()])
    expect(planned({ ...GOOD, schematic: given, talosVersion: "v1.13.4" }).plan).toMatchObject({
      installImage: `factory.talos.dev/metal-installer/${schematic}:v1.13.4`,
      config: { talosSchematic: schematic },
    });
  // What a person answers who wants none.
  expect(planned({ ...GOOD, schematic: "" })).toEqual(planned(GOOD));
});

test("no lease of another stack is taken; the example's lease is free", () => {
  const others = [
    file("lab", { minipcMac: "00:11:22:33:44:55" }),
    file("nuc2", { minipcMac: "48:21:0b:12:34:57", minipcIp: "10.10.10.101" }),
  ];
  expect(planned(GOOD, others).plan?.minipcIp).toBe("10.10.10.100");
  const more = [...others, file("nuc3", { minipcMac: "48:21:0b:12:34:58" })];
  expect(planned(GOOD, more).plan?.minipcIp).toBe("10.10.10.102");
  expect(planned({ ...GOOD, appliance: "192.168.77.2/24" }, more).plan?.minipcIp).toBe("192.168.77.100");
});

test("a lease that is the link's usual one is not set, so that it follows another link", () => {
  const lease = (answers: Answers) => planned({ ...GOOD, ...answers }).plan?.config.minipcIp;
  expect(lease({})).toBeUndefined();
  expect(lease({ appliance: "192.168.77.2/24" })).toBeUndefined();
  expect(lease({ ip: "10.10.10.7" })).toBe("10.10.10.7");
});

test.each([
  ["talos.example", "https://talos.example:6443"],
  ["192.168.1.50", "https://192.168.1.50:6443"],
  ["https://talos.example", "https://talos.example:6443"],
  ["https://talos.example:443", "https://talos.example:443"],
  ["fd00::1", undefined],
  ["https://[fd00::1]:6443", "https://[fd00::1]:6443"],
  ["10.10.10.100", "https://10.10.10.100:6443"],
  ["http://talos.example", undefined],
  ["https://me:pass@talos.example", undefined],
  ["https://talos.example/path", undefined],
  ["talos example", undefined],
])("the endpoint %s is understood as %s", (given, endpoint) => {
  expect(planned({ ...GOOD, endpoint: given }).plan?.endpoint).toBe(endpoint);
});

test.each<[Answers, string]>([
  [{ mac: "00:11:22:33:44:55" }, "mac: 00:11:22:33:44:55: the example in the documents"],
  [{ mac: "0011.2233.4455" }, "mac: 0011.2233.4455: the example in the documents"],
  [{ mac: "" }, "mac: it is missing"],
  [{ disk: "nvme0n1" }, "disk: nvme0n1 is not a disk as Linux names it"],
  [{ disk: "/dev/sda; reboot" }, "disk: /dev/sda; reboot is not a disk"],
  [{ endpoint: "" }, "endpoint: it is missing"],
  [{ endpoint: "10.10.10.2" }, "endpoint: 10.10.10.2 is the appliance, which goes away"],
  [{ endpoint: "10.10.10.7" }, "endpoint: 10.10.10.7 is on the isolated link, where nobody has it"],
  [{ vip: "10.10.10.100" }, "vip: 10.10.10.100 is the mini-PC's own lease"],
  [{ vip: "talos.example" }, "vip: talos.example is no IPv4 address"],
  [{ vip: "127.0.0.1" }, "vip: 127.0.0.1 is of addresses that no host on a network has (loopback)"],
  [
    { talosVersion: "1.12.0" },
    "talosVersion: 1.12.0: not a Talos release: v, then three numbers. Right: v1.12.0",
  ],
  [{ schematic: "intel-ucode" }, "schematic: intel-ucode: not the id of a schematic. Right: 64 hex digits"],
  [{ ip: "10.0.0.1" }, "ip: 10.0.0.1: outside the appliance's subnet 10.10.10.0/24. Right: 10.10.10.100"],
  [{ appliance: "10.10.10.0/24" }, "appliance: 10.10.10.0/24: 10.10.10.0 is the network"],
  [
    { appliance: "127.0.0.2/8" },
    "appliance: 127.0.0.2/8: 127.0.0.2 is of addresses that no host on a network has (loopback). Right: 10.10.10.2/24",
  ],
  [{ role: "master" }, "role: master is neither controlplane nor worker"],
  [{ role: "worker" }, "role: a worker needs the secrets of its cluster"],
])("%j is refused", (answers, fault) => {
  expect(faults(answers)).toEqual([expect.stringContaining(fault)]);
});

test("all faults are listed at once, each with the option that corrects it", () => {
  const { faults } = plan("no/name", { talosVersion: "latest" }, [], undefined, "2025-12-17");
  expect(refusalOf("no/name", faults).message).toMatchInlineSnapshot(`
   "making the stack no/name: the command line has 5 faults. Nothing was made:
     --talos-version: latest: not a Talos release: v, then three numbers. Right: v1.11.6
     --mac: it is missing. Right: what the mini-PC's label or firmware shows, written like 00:11:22:33:44:55
     STACK: no/name is not a stack's name: that has 1 to 64 letters, digits, dots, dashes, underscores
     --disk: it is missing. Right: the mini-PC's disk as Linux names it, such as /dev/nvme0n1
     --endpoint: it is missing. Right: a name or an address that lasts, see docs/lasting-network.md
   npm run new -- --help explains each"
  `);
});

describe("a machine that joins", () => {
  const cluster: Cluster = { stack: "nuc1", name: "home", endpoint: "https://10.10.10.100:6443" };
  const { mac, disk } = GOOD;
  const first = [file("nuc1", { minipcMac: "48:21:0b:12:34:57" })];
  const joining = (answers: Answers, of = cluster) =>
    plan("nuc2", { mac, disk, join: "nuc1", ...answers }, first, of, "2025-12-17");

  test("has the cluster's name and endpoint, an address of its own, and no client config", () => {
    expect(joining({}).plan).toMatchObject({
      cluster: "home",
      endpoint: "https://10.10.10.100:6443",
      minipcIp: "10.10.10.101",
      talosConfig: undefined,
      config: { joins: "true", machineConfig: "config/nuc2.controlplane.yaml" },
    });
  });

  test("needs no option to say that it joins if it is a worker", () => {
    expect(joining({ role: "worker" }).plan).toMatchObject({
      role: "worker",
      machineConfig: "config/nuc2.worker.yaml",
    });
    expect(joining({ role: "worker" }).plan?.config).not.toHaveProperty("joins");
  });

  test("shares the address of the control planes, a worker does not", () => {
    const shared = { ...cluster, endpoint: "https://192.168.1.10:6443", vip: "192.168.1.10" };
    expect(joining({}, shared).plan?.vip).toBe("192.168.1.10");
    expect(joining({ role: "worker" }, shared).plan?.vip).toBeUndefined();
  });

  test("takes no endpoint and no name of its own", () => {
    expect(joining({ endpoint: "x", cluster: "y" }).faults.map(({ answer }) => answer)).toEqual([
      "endpoint",
      "cluster",
    ]);
  });
});

test("a shared address is the endpoint, unless one is set", () => {
  expect(planned({ ...GOOD, endpoint: undefined, vip: "192.168.1.10" }).plan).toMatchObject({
    endpoint: "https://192.168.1.10:6443",
    vip: "192.168.1.10",
  });
  expect(planned({ ...GOOD, vip: "192.168.1.10" }).plan?.endpoint).toBe("https://talos.example:6443");
  expect(planned({ ...GOOD, endpoint: undefined, vip: "10.10.10.7" }).faults).toEqual([]);
});

test.each([
  ["/srv/pxe/config/age.key", "config/age.key"],
  ["/srv/pxe/..age/key", "..age/key"],
  ["/srv/pxe2/age.key", "/srv/pxe2/age.key"],
  ["/home/me/age.key", "/home/me/age.key"],
])("a stack of the checkout /srv/pxe names the age identity %s as %s", (file, named) => {
  expect(pathIn("/srv/pxe", file)).toBe(named);
});
