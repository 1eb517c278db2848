import { readNodeConfig } from "../../../steps/talos/read-node-config";
import { edited, made, withDocuments, withMachine } from "./cases";

const WHOLE = {
  isPartial: false,
  clusterName: "home",
  cluster: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
  endpoint: "https://10.10.10.100:6443",
  links: [],
  hasDefaultDhcp: true,
};

test.each([
  ["v1.9.5", "controlplane"],
  ["v1.11.6", "controlplane"],
  ["v1.11.6", "worker"],
  ["v1.12.6", "controlplane"],
  ["v1.13.6", "worker"],
  ["v1.14.1", "controlplane"],
  ["v1.14.1", "worker"],
])("what the generator makes for %s as a %s is read alike, in whichever form", (release, type) => {
  expect(readNodeConfig(made(release, type))).toMatchObject({
    ...WHOLE,
    machineType: type,
    install: {
      isAsked: true,
      image: `ghcr.io/siderolabs/installer:${release}`,
      disk: "/dev/vda",
      diskSelector: "",
      byDocument: release === "v1.14.1",
    },
  });
});

const SECTIONS = withMachine({
  install: { diskSelector: { size: ">= 10GB" } },
  time: { servers: ["10.10.10.2"] },
  network: {
    nameservers: ["10.10.10.2"],
    searchDomains: ["home.arpa"],
    extraHostEntries: [{ ip: "10.10.10.5", aliases: ["registry"] }],
    interfaces: [
      { interface: "net0", dhcp: true, addresses: ["192.168.1.20/24"], vip: { ip: "192.168.1.10" } },
    ],
  },
  registries: { mirrors: { "ghcr.io": { endpoints: ["http://user:pass@registry:5000/v2"] } } },
});
const DOCUMENTS = withDocuments(
  { kind: "TimeSyncConfig", ntp: { servers: ["10.10.10.2"] } },
  { kind: "StaticHostConfig", name: "10.10.10.5", hostnames: ["registry"] },
  { kind: "LinkConfig", name: "net0", addresses: [{ address: "192.168.1.20/24" }] },
  { kind: "DHCPv4Config", name: "net0" },
  { kind: "Layer2VIPConfig", name: "192.168.1.10", link: "net0" },
  {
    kind: "RegistryMirrorConfig",
    name: "ghcr.io",
    endpoints: [{ url: "http://user:pass@registry:5000/v2" }],
  },
);

test.each([
  ["sections", SECTIONS],
  [
    "documents",
    edited(
      DOCUMENTS,
      { nameservers: [{ address: "10.10.10.2" }], "searchDomains.domains": ["home.arpa"] },
      "ResolverConfig",
    ),
  ],
])("the same network, written in %s, is read alike, and no password of a URL is kept", (_form, text) => {
  const node = readNodeConfig(text);
  expect(node).toMatchObject({
    timeServers: ["10.10.10.2"],
    resolvers: ["10.10.10.2"],
    searchDomains: ["home.arpa"],
    hosts: [{ address: "10.10.10.5", names: ["registry"] }],
    vips: ["192.168.1.10"],
    mirrors: [{ registry: "ghcr.io", hosts: ["registry:5000"], withoutScheme: [] }],
    links: [{ kind: "nic", choice: { name: "net0" }, dhcp: true, addresses: ["192.168.1.20/24"] }],
  });
  expect(JSON.stringify(node)).not.toContain("pass");
});

test("a disk selector is kept as the config has it, in both forms", () => {
  expect(readNodeConfig(SECTIONS).install).toMatchObject({ disk: "", diskSelector: '{"size":">= 10GB"}' });
  const match = "disk.size > 10u * GB && !disk.readonly";
  const byCel = edited(
    made("v1.14.1"),
    { "provisioning.diskSelector.match": match },
    "UnattendedInstallConfig",
  );
  expect(readNodeConfig(byCel).install).toMatchObject({ disk: "", diskSelector: match });
});

test("a partial config has no machine and no cluster, and nothing of its join token is kept", () => {
  const node = readNodeConfig(
    "apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: https://omni.example.org:8090/?jointoken=throwaway\n",
  );
  expect(node).toMatchObject({ isPartial: true, machineType: "", cluster: "", omni: "omni.example.org" });
  expect(JSON.stringify(node)).not.toContain("throwaway");
});

test.each(["LinkConfig", "DummyLinkConfig", "WireguardConfig", "DHCPv6Config"])(
  "a %s ends Talos's own DHCP requests",
  (kind) => {
    expect(readNodeConfig(withDocuments({ kind, name: "x" })).hasDefaultDhcp).toBe(false);
  },
);

test.each(["EthernetConfig", "LinkAliasConfig", "Layer2VIPConfig"])("a %s does not", (kind) => {
  const document = { kind, name: "x", selector: { match: "true" } };
  expect(readNodeConfig(withDocuments(document)).hasDefaultDhcp).toBe(true);
});
