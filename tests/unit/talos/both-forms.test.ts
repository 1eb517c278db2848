import { ALIAS, edited, found, made, NIC, withDocuments, withInterfaces, withMachine } from "./cases";

const OTHER_NET = "192.168.1.20/24";
const byMac = { deviceSelector: { hardwareAddr: NIC } };
const addresses = [{ address: OTHER_NET }];
const DHCP = { kind: "DHCPv4Config", name: "net0" };
const sections = (values: Record<string, unknown>) => edited(made("v1.11.6"), values);
const documents = (kind: string, values: Record<string, unknown>) => edited(made("v1.14.1"), values, kind);

/** What is found without an uplink, by level and name: there most is amiss. */
const names = (text: string) =>
  found(text, { uplink: false })
    .map((line) => line.split(":")[0])
    .filter((name) => name !== "warning no-images");

test.each<[string, string, string, string[]]>([
  ["nothing of its own", made("v1.11.6"), made("v1.14.1"), []],
  [
    "the appliance as endpoint",
    sections({ "cluster.controlPlane.endpoint": "https://10.10.10.2:6443" }),
    documents("KubeClusterConfig", { endpoint: "https://10.10.10.2:6443" }),
    ["error endpoint"],
  ],
  [
    "an installer of another release",
    withMachine({ "install.image": "ghcr.io/siderolabs/installer:v1.10.0" }),
    documents("UnattendedInstallConfig", { "installer.image": "ghcr.io/siderolabs/installer:v1.10.0" }),
    ["error installer-version"],
  ],
  [
    "a static address without DHCP",
    withInterfaces({ ...byMac, addresses: [OTHER_NET] }),
    withDocuments(ALIAS, { kind: "LinkConfig", name: "net0", addresses }),
    ["error no-address-on-the-link"],
  ],
  [
    "a static address beside DHCP",
    withInterfaces({ ...byMac, addresses: [OTHER_NET], dhcp: true }),
    withDocuments(ALIAS, DHCP, { kind: "LinkConfig", name: "net0", addresses }),
    [],
  ],
  [
    "a VLAN alone",
    withInterfaces({ ...byMac, vlans: [{ vlanId: 7, addresses: [OTHER_NET] }] }),
    withDocuments(ALIAS, { kind: "VLANConfig", name: "net0.7", vlanID: 7, parent: "net0", addresses }),
    ["error no-address-on-the-link"],
  ],
  [
    "a bond without DHCP",
    withInterfaces({
      interface: "bond0",
      addresses: [OTHER_NET],
      bond: { mode: "active-backup", deviceSelectors: [{ permanentAddr: NIC }] },
    }),
    withDocuments(ALIAS, {
      ...{ kind: "BondConfig", name: "bond0", links: ["net0"], bondMode: "active-backup" },
      addresses,
    }),
    ["error no-address-on-the-link"],
  ],
  [
    "a bridge that asks by DHCP",
    withInterfaces({ interface: "br0", dhcp: true, bridge: { interfaces: ["enx5254001234ab"] } }),
    withDocuments(
      { kind: "BridgeConfig", name: "br0", links: ["enx5254001234ab"] },
      { kind: "DHCPv4Config", name: "br0" },
    ),
    [],
  ],
  [
    "another address on the link",
    withInterfaces({ ...byMac, addresses: ["10.10.10.50/24"] }),
    withDocuments(ALIAS, { kind: "LinkConfig", name: "net0", addresses: [{ address: "10.10.10.50/24" }] }),
    ["error address-on-the-link"],
  ],
  [
    "time off the link",
    withMachine({ time: { servers: ["pool.ntp.org"] } }),
    withDocuments({ kind: "TimeSyncConfig", ntp: { servers: ["pool.ntp.org"] } }),
    ["warning time-off-the-link"],
  ],
  [
    "resolvers off the link",
    withMachine({ network: { nameservers: ["192.168.1.53"] } }),
    documents("ResolverConfig", { nameservers: [{ address: "192.168.1.53" }] }),
    ["warning resolvers-off-the-link"],
  ],
  [
    "a mirror by a bare name",
    withMachine({ registries: { mirrors: { "*": { endpoints: ["http://registry:5000"] } } } }),
    withDocuments({ kind: "RegistryMirrorConfig", name: "*", endpoints: [{ url: "http://registry:5000" }] }),
    ["warning bare-host-name"],
  ],
  [
    "a vip of the link as endpoint",
    edited(withInterfaces({ ...byMac, dhcp: true, vip: { ip: "10.10.10.7" } }), {
      "cluster.controlPlane.endpoint": "https://10.10.10.7:6443",
    }),
    edited(
      withDocuments(ALIAS, DHCP, { kind: "Layer2VIPConfig", name: "10.10.10.7", link: "net0" }),
      { endpoint: "https://10.10.10.7:6443" },
      "KubeClusterConfig",
    ),
    [],
  ],
])("%s: sections and documents are judged alike", (_what, inSections, inDocuments, expected) => {
  expect(names(inSections)).toEqual(expected);
  expect(names(inDocuments)).toEqual(expected);
});
