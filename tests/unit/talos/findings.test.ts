import { readFileSync } from "node:fs";
import { join } from "node:path";
import { WARNINGS } from "../../../stack/finding";
import {
  ALIAS,
  edited,
  found,
  made,
  NIC,
  OTHER,
  RELEASES,
  withDocuments,
  withInterfaces,
  withMachine,
  without,
} from "./cases";

const LAN = {
  addresses: ["192.168.1.20/24"],
  routes: [{ network: "0.0.0.0/0", gateway: "192.168.1.1" }],
};
const LINK = { kind: "LinkConfig", name: "net0", addresses: [{ address: "192.168.1.20/24" }] };
const DHCP = { kind: "DHCPv4Config", name: "net0" };
const byMac = (mac: string) => ({ deviceSelector: { hardwareAddr: mac } });
const OMNI =
  "apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: https://omni.example.org:8090/?jointoken=x\n";

test.each(RELEASES)("what the generator makes for %s fits", (talosVersion) => {
  expect(found(made(talosVersion), { talosVersion })).toEqual([]);
});

test.each<[string, string]>([
  ["a static address beside DHCP", withInterfaces({ ...byMac(NIC), dhcp: true, ...LAN })],
  ["the NIC by a wildcard", withInterfaces({ ...byMac("52:54:00:*"), dhcp: true })],
  [
    "the NIC by the name that is made of its MAC",
    withInterfaces({ interface: "enx5254001234ab", dhcp: true }),
  ],
  [
    "a default route by a gateway that no address of the NIC reaches, which the kernel does not take",
    withInterfaces({ ...byMac(NIC), dhcp: true, routes: [{ gateway: "192.168.1.1", metric: 10 }] }),
  ],
  [
    "a worse default route beside DHCP's",
    withInterfaces({ ...byMac(NIC), dhcp: true, ...LAN, routes: [{ ...LAN.routes[0], metric: 2048 }] }),
  ],
  [
    "a better default route of another NIC",
    withInterfaces(
      { ...byMac(NIC), dhcp: true },
      { ...byMac(OTHER), ...LAN, routes: [{ ...LAN.routes[0], metric: 10 }] },
    ),
  ],
  [
    "a better default route by the appliance",
    withInterfaces({ ...byMac(NIC), dhcp: true, routes: [{ gateway: "10.10.10.2", metric: 10 }] }),
  ],
  ["an address of the loopback", withInterfaces({ interface: "lo", addresses: ["10.99.0.1/32"] })],
  ["DHCP in YAML 1.1's words", withInterfaces({ ...byMac(NIC), dhcp: "yes", ...LAN })],
  [
    "two interfaces, one of them the NIC",
    withInterfaces({ ...byMac(OTHER), ...LAN }, { ...byMac(NIC), dhcp: true }),
  ],
  [
    "a bridge of the NIC that asks by DHCP",
    withInterfaces({ interface: "br0", dhcp: true, bridge: { interfaces: ["enx5254001234ab"] } }),
  ],
  [
    "the lease as a static address with a route",
    withInterfaces({
      ...byMac(NIC),
      addresses: ["10.10.10.100/24"],
      routes: [{ network: "0.0.0.0/0", gateway: "10.10.10.2" }],
    }),
  ],
  [
    "a VLAN beside DHCP",
    withInterfaces({ ...byMac(NIC), dhcp: true, vlans: [{ vlanId: 7, addresses: LAN.addresses }] }),
  ],
  ["an alias of the NIC that asks by DHCP", withDocuments(ALIAS, LINK, DHCP)],
  [
    "a name of the kernel's that asks by DHCP, as every other NIC does",
    withInterfaces({ interface: "eth0", dhcp: true }),
  ],
  ["no installer image", withMachine({ "install.image": undefined })],
  [
    "an installer by its digest alone",
    withMachine({ "install.image": `ghcr.io/siderolabs/installer@sha256:${"a".repeat(64)}` }),
  ],
  [
    "an installer by tag and digest",
    withMachine({ "install.image": `ghcr.io/siderolabs/installer:v1.11.6@sha256:${"a".repeat(64)}` }),
  ],
  ["a disk selector", withMachine({ install: { diskSelector: { size: ">= 10GB" } } })],
  ["time servers by name, through the uplink", withMachine({ time: { servers: ["time.cloudflare.com"] } })],
  ["a public resolver, through the uplink", withMachine({ network: { nameservers: ["9.9.9.9"] } })],
  ["a part of a config that joins Omni", OMNI],
  [
    "an installer of a registry by IPv6",
    withMachine({ "install.image": "[fd00::5]:5000/installer:v1.11.6" }),
  ],
  [
    "a mirror by IPv6",
    withMachine({ registries: { mirrors: { "ghcr.io": { endpoints: ["http://[fd00::5]:5000"] } } } }),
  ],
  [
    "a time server by IPv6 beside one that is reached",
    withMachine({ time: { servers: ["2606:4700:f1::1", "9.9.9.9"] } }),
  ],
  ["a time server with its port", withMachine({ time: { servers: ["10.10.10.2:123"] } })],
])("%s passes without a word", (_what, text) => {
  expect(found(text)).toEqual([]);
});

test.each<[string, string, RegExp]>([
  [
    "a static address of the lasting network",
    withInterfaces({ ...byMac(NIC), dhcp: false, ...LAN }),
    /interfaces\[0\] gives it 192\.168\.1\.20\/24 without DHCP\. Write dhcp: true/,
  ],
  [
    "a NIC that is ignored",
    withInterfaces({ ...byMac(NIC), ignore: true }),
    /interfaces\[0\] has Talos ignore it\. Remove ignore/,
  ],
  [
    "a NIC that has an MTU and no more",
    withInterfaces({ ...byMac(NIC), mtu: 9000 }),
    /configures it without DHCP/,
  ],
  [
    "a VLAN alone",
    withInterfaces({ ...byMac(NIC), vlans: [{ vlanId: 7, dhcp: true }] }),
    /tagged packets only/,
  ],
  [
    "a member of a bond",
    withInterfaces({
      interface: "bond0",
      ...LAN,
      bond: { deviceSelectors: [{ permanentAddr: NIC }, { permanentAddr: OTHER }] },
    }),
    /part of a bond, which asks for no address/,
  ],
  [
    "a port of a bridge",
    withInterfaces({ interface: "br0", ...LAN, bridge: { interfaces: ["enx5254001234ab"] } }),
    /part of a bridge/,
  ],
  [
    "a port of a bridge, said at the NIC",
    withInterfaces(
      { ...byMac(NIC), dhcp: true, bridgePort: { master: "br0" } },
      { interface: "br0", bridge: {} },
    ),
    /part of a bridge/,
  ],
  [
    "a bond with a MAC of its own",
    withDocuments(
      ALIAS,
      {
        kind: "BondConfig",
        name: "bond0",
        links: ["net0"],
        bondMode: "active-backup",
        hardwareAddr: "02:00:00:00:00:01",
      },
      { kind: "DHCPv4Config", name: "bond0" },
    ),
    /MAC 02:00:00:00:00:01/,
  ],
  [
    "a LinkConfig with an address and no DHCPv4Config",
    withDocuments(ALIAS, LINK),
    /LinkConfig net0 gives it .* Add a LinkAliasConfig/,
  ],
  [
    "a LinkConfig that takes the link down",
    withDocuments(ALIAS, { ...LINK, up: false }, DHCP),
    /takes it down/,
  ],
  [
    "a document of a link that has nothing to do with it",
    withDocuments({ kind: "DummyLinkConfig", name: "dummy0" }),
    /since it has DummyLinkConfig dummy0 Talos does not ask by itself on any/,
  ],
])("%s leaves no address on the link, which is an error", (_what, text, words) => {
  const [line, ...others] = found(text);
  expect(line).toMatch(/^error no-address-on-the-link: the NIC 52:54:00:12:34:ab has no address/);
  expect(line).toMatch(words);
  expect(others).toEqual([]);
});

test.each<[string, string, string[]]>([
  [
    "the same, where another NIC has an address",
    withInterfaces({ ...byMac(NIC), ...LAN }, { ...byMac(OTHER), dhcp: true }),
    ["no-address-on-the-link: it may be .* through the other NIC that the config names"],
  ],
  [
    "the same, of a NIC that is only guessed",
    withInterfaces({ interface: "eth0", ...LAN }),
    ["no-address-on-the-link: it may be .* only the mini-PC shows which NIC that is"],
  ],
  [
    "a driver that may be that of the NIC",
    withInterfaces({ deviceSelector: { driver: "igc" }, ...LAN }),
    ["no-address-on-the-link: it may be"],
  ],
  [
    "DHCP on a name that only guesses the NIC, in documents",
    withDocuments({ kind: "DHCPv4Config", name: "enp1s0" }),
    ["no-address-on-the-link: it may be .* mac\\(link\\.permanent_addr\\) == "],
  ],
  [
    "an alias whose expression is not read",
    withDocuments({ ...ALIAS, selector: { match: '!(link.driver == "igc")' } }, LINK),
    ["no-address-on-the-link: it may be"],
  ],
  [
    "a bond whose MAC may be another member's",
    withInterfaces({
      interface: "bond0",
      dhcp: true,
      bond: { deviceSelectors: [{ permanentAddr: OTHER }, { permanentAddr: NIC }] },
    }),
    ["no-address-on-the-link: it may be .* MAC of another member"],
  ],
  [
    "another NIC alone",
    withInterfaces({ ...byMac(OTHER), dhcp: true }),
    ["other-nic: machine\\.network\\.interfaces\\[0\\] selects the NIC hardwareAddr 52:54:00:12:34:57"],
  ],
  [
    "a MAC in capitals",
    withInterfaces({ ...byMac(NIC.toUpperCase()), dhcp: true }),
    ["mac-never-matches: .*Write 52:54:00:12:34:ab$"],
  ],
  [
    "a second address in the link's subnet",
    withInterfaces({ ...byMac(NIC), dhcp: true, addresses: ["10.10.10.50/24"] }),
    ["address-on-the-link: .*10\\.10\\.10\\.50, in the isolated link's subnet"],
  ],
  [
    "the lease as a static address without a route",
    withInterfaces({ ...byMac(NIC), addresses: ["10.10.10.100/24"] }),
    ["no-route-to-the-uplink: .*default route by 10\\.10\\.10\\.2"],
  ],
  [
    "DHCP whose routes are left out",
    withDocuments(ALIAS, { ...DHCP, ignoreRoutes: true }),
    ["no-route-to-the-uplink: .*leaves out the routes"],
  ],
  [
    "a better default route than DHCP's",
    withInterfaces({ ...byMac(NIC), dhcp: true, ...LAN, routes: [{ ...LAN.routes[0], metric: 10 }] }),
    [
      "no-route-to-the-uplink: .*default route by 192\\.168\\.1\\.1 with the metric 10, .* of 1024 by 10\\.10\\.10\\.2",
    ],
  ],
  [
    "DHCP's routes with a worse metric",
    withInterfaces({ ...byMac(NIC), dhcp: true, dhcpOptions: { routeMetric: 2048 }, ...LAN }),
    ["no-route-to-the-uplink: .*with the metric 1024, .* of 2048"],
  ],
  [
    "the same in documents",
    withDocuments(ALIAS, { ...DHCP, routeMetric: 2048 }, { ...LINK, routes: [{ gateway: "192.168.1.1" }] }),
    ["no-route-to-the-uplink: .*with the metric 1024, .* of 2048"],
  ],
  [
    "a better default route of a VLAN of the NIC, in documents",
    withDocuments(ALIAS, DHCP, {
      ...{ kind: "VLANConfig", name: "net0.7", vlanID: 7, parent: "net0", addresses: LINK.addresses },
      routes: [{ gateway: "192.168.1.1", metric: 10 }],
    }),
    ["no-route-to-the-uplink: .*with the metric 10, "],
  ],
  [
    "a better default route by a host of the link",
    withInterfaces({ ...byMac(NIC), dhcp: true, routes: [{ gateway: "10.10.10.1", metric: 1 }] }),
    ["no-route-to-the-uplink: .*by 10\\.10\\.10\\.1 with the metric 1, "],
  ],
  [
    "a better default route of a NIC that is only guessed",
    withInterfaces({ interface: "eth0", dhcp: true, ...LAN, routes: [{ ...LAN.routes[0], metric: 10 }] }),
    ["no-route-to-the-uplink: .*with the metric 10, "],
  ],
  [
    "a tag that tells no release",
    withMachine({ "install.image": "registry.home.arpa:5000/installer:mine" }),
    ["installer-version: .*the tag mine"],
  ],
  ...["v1.11.6-nvidia", "v1.11.6-1", "v1.11.6-amd64", "1.11.6"].map((tag): [string, string, string[]] => [
    `an installer of one's own making with the tag ${tag}`,
    withMachine({ "install.image": `registry.home.arpa:5000/installer:${tag}` }),
    [`installer-version: .*has the tag ${tag}, which is of the release v1\\.11\\.6 but not its own`],
  ]),
  [
    "a registry with a port and no tag",
    withMachine({ "install.image": "registry.home.arpa:5000/installer" }),
    ["installer-version: .*no tag"],
  ],
  [
    "resolvers of the lasting network",
    withMachine({ network: { nameservers: ["192.168.1.53"] } }),
    ["resolvers-off-the-link: .* only if the appliance's uplink leads there"],
  ],
  [
    "time servers of the lasting network",
    withMachine({ time: { servers: ["192.168.1.1"] } }),
    ["time-off-the-link: .* only if"],
  ],
  [
    "a mirror by a bare name",
    withMachine({ registries: { mirrors: { "ghcr.io": { endpoints: ["http://registry:5000"] } } } }),
    ["bare-host-name: the mirror of ghcr\\.io, registry:5000, is a name without a dot"],
  ],
  [
    "a mirror by a bare name, as a document",
    withDocuments({
      kind: "RegistryMirrorConfig",
      name: "ghcr.io",
      endpoints: [{ url: "http://registry:5000" }],
    }),
    ["bare-host-name: "],
  ],
  [
    "a mirror without a scheme, of which Talos takes the host for the scheme",
    withMachine({ registries: { mirrors: { "ghcr.io": { endpoints: ["me:pass@registry:5000"] } } } }),
    ["mirror-without-scheme: the mirror of ghcr\\.io, registry:5000, .* Write http://registry:5000 "],
  ],
  [
    "the same by its address, beside one that has a scheme",
    withMachine({
      registries: { mirrors: { "ghcr.io": { endpoints: ["10.10.10.5:5000", "http://10.10.10.6"] } } },
    }),
    ["mirror-without-scheme: the mirror of ghcr\\.io, 10\\.10\\.10\\.5:5000, "],
  ],
  [
    "an Omni by a bare name",
    "apiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: https://omni:8090/?jointoken=x\n",
    ["bare-host-name: Omni, omni, is a name without a dot"],
  ],
  [
    "a time server by IPv6",
    withMachine({ time: { servers: ["2606:4700:f1::1"] } }),
    ["time-off-the-link: .*2606:4700:f1::1 .* IPv6, which does not pass the appliance"],
  ],
  [
    "a resolver by IPv6",
    edited(made("v1.14.1"), { nameservers: [{ address: "2606:4700:4700::1111" }] }, "ResolverConfig"),
    ["resolvers-off-the-link: .* IPv6, "],
  ],
  [
    "a time server by a bare name",
    withMachine({ time: { servers: ["ntp"] } }),
    ["bare-host-name: the time server, ntp"],
  ],
  ["nothing that installs", without(made("v1.14.1"), "UnattendedInstallConfig"), ["no-install: "]],
])("%s causes a warning", (_what, text, lines) => {
  expect(found(text, text.includes("KubeClusterConfig") ? { talosVersion: "v1.14.1" } : {})).toEqual(
    lines.map((line) => expect.stringMatching(new RegExp(`^warning ${line}`)) as string),
  );
});

test.each([`v1.10.1@sha256:${"a".repeat(64)}`, "v1.11.5-nvidia", "1.12.6"])(
  "an installer of another release is an error, whatever is beside it: %s",
  (tag) => {
    const text = withMachine({ "install.image": `x.example/installer:${tag}` });
    expect(found(text)).toEqual([
      expect.stringMatching(/^error installer-version: .*not of talosVersion v1\.11\.6/),
    ]);
  },
);

test("an address on the link that is not the lease is an error, when the NIC has no other", () => {
  const text = withInterfaces({ deviceSelector: { busPath: "0*" }, addresses: ["10.10.10.50/24"] });
  expect(found(text)).toEqual([
    expect.stringMatching(/^error address-on-the-link: .*10\.10\.10\.50 .*minipcIp is/),
  ]);
});

describe("without an uplink", () => {
  const names = (text: string) => found(text, { uplink: false }).map((line) => line.split(":")[0]);
  const MIRROR = { "*": { endpoints: ["http://10.10.10.5:5000"] } };

  test("the installer has to come from the link", () => {
    expect(names(made("v1.11.6"))).toEqual(["warning no-images"]);
    expect(names(withMachine({ registries: { mirrors: MIRROR } }))).toEqual([]);
    expect(names(withMachine({ "install.image": "10.10.10.5:5000/installer:v1.11.6" }))).toEqual([]);
  });

  test.each([
    ["v1.13.6", made("v1.11.6"), "ghcr.io", "factory.talos.dev"],
    ["v1.14.1", without(made("v1.14.1"), "UnattendedInstallConfig"), "factory.talos.dev", "ghcr.io"],
  ])(
    "a mirror of where Talos %s takes its own installer serves, and no other",
    (talosVersion, text, own, other) => {
      const mirrored = (registry: string) =>
        found(
          edited(text, {
            "machine.install": { disk: "/dev/vda" },
            "machine.registries": { mirrors: { [registry]: { endpoints: ["http://10.10.10.5:5000"] } } },
          }),
          { talosVersion, uplink: false },
        );
      expect(mirrored(own)).toEqual([]);
      expect(mirrored(other)).toEqual([
        expect.stringMatching(new RegExp(`^warning no-images: .*the installer comes from ${own}: `)),
      ]);
    },
  );

  test("a mirror by a name that the config gives an address on the link serves, too", () => {
    const text = withDocuments(
      { kind: "RegistryMirrorConfig", name: "ghcr.io", endpoints: [{ url: "http://registry:5000" }] },
      { kind: "StaticHostConfig", name: "10.10.10.5", hostnames: ["registry"] },
    );
    expect(names(text)).toEqual([]);
  });

  test.each([
    ["in the sections", withMachine({ env: { https_proxy: "http://10.10.10.5:3128" } })],
    ["without a scheme", withMachine({ env: { HTTPS_PROXY: "10.10.10.5:3128" } })],
    [
      "in a document",
      withDocuments({ kind: "EnvironmentConfig", variables: { HTTPS_PROXY: "http://10.10.10.5:3128" } }),
    ],
  ])("a proxy on the link serves, too: %s", (_where, text) => {
    expect(names(text)).toEqual([]);
  });

  test.each([
    ["off the link", withMachine({ env: { https_proxy: "http://192.168.1.9:3128" } })],
    ["of other programs", withMachine({ env: { no_proxy: "10.10.10.5" } })],
  ])("a proxy %s brings no images", (_where, text) => {
    expect(names(text)).toEqual(["warning no-images"]);
  });

  test.each<[string, object, string[]]>([
    ["a time server by name", { time: { servers: ["time.cloudflare.com"] } }, ["warning time-off-the-link"]],
    [
      "a time server of another network",
      { time: { servers: ["192.168.1.1"] } },
      ["warning time-off-the-link"],
    ],
    ["the appliance among the time servers", { time: { servers: ["pool.ntp.org", "10.10.10.2"] } }, []],
    ["a clock of the machine's own", { time: { servers: ["/dev/ptp0"] } }, []],
    ["no time at all", { time: { disabled: true, servers: ["pool.ntp.org"] } }, []],
    [
      "a resolver off the link",
      { network: { nameservers: ["9.9.9.9"] } },
      ["warning resolvers-off-the-link"],
    ],
    ["the appliance among the resolvers", { network: { nameservers: ["9.9.9.9", "10.10.10.2"] } }, []],
  ])("%s", (_what, more, expected) => {
    const text = withMachine({ ...more, registries: { mirrors: MIRROR } });
    expect(names(text)).toEqual(expected);
  });

  test("a static lease does not bring the appliance's time", () => {
    const lease = { ...byMac(NIC), addresses: ["10.10.10.100/24"] };
    const network = { interfaces: [lease] };
    const registries = { mirrors: MIRROR };
    expect(names(withMachine({ network, registries }))).toEqual(["warning time-off-the-link"]);
    expect(names(withMachine({ network, registries, time: { servers: ["10.10.10.2"] } }))).toEqual([]);
  });

  test("a mirror without a scheme brings no images", () => {
    const mirrors = { "*": { endpoints: ["10.10.10.5:5000"] } };
    expect(names(withMachine({ registries: { mirrors } }))).toEqual([
      "warning no-images",
      "warning mirror-without-scheme",
    ]);
  });

  test("Omni is not reached", () => {
    expect(names(OMNI)).toEqual(["warning omni-off-the-link"]);
  });
});

test("the document has a row for each warning that acceptWarnings takes", () => {
  const page = readFileSync(join(__dirname, "../../../docs/machine-config.md"), "utf8");
  const names = [...page.matchAll(/^\| `([a-z-]+)` /gm)].map(([, name]) => name);
  expect(names.sort()).toEqual([...WARNINGS].sort());
});
