import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { checkConfig } from "../../stack/config";
import { ConfigError } from "../../stack/config/fault";
import { declaredDefaults } from "../../stack/config/defaults";

const enough = { bootstrapVersion: "2025-12-17", minipcMac: "00:11:22:33:44:66" };

function faultsOf(given: Record<string, string>, secret: string[] = [], env: NodeJS.ProcessEnv = {}) {
  try {
    checkConfig({ ...enough, ...given }, "lab", secret, { HOME: "/nowhere", ...env });
  } catch (fault) {
    return (fault as ConfigError).faults.map(({ key, wrong }) => `${key}: ${wrong}`);
  }
  return [];
}

test("the two required keys are enough", () => {
  expect(checkConfig(enough, "lab", [], {})).toMatchSnapshot();
});

test.each(["00-11-22-33-44-AA", "0011.2233.44aa", "00:11:22:33:44:aa", "00:11:22:33:44:AA"])(
  "MAC form %s is understood",
  (minipcMac) => {
    expect(checkConfig({ ...enough, minipcMac }, "lab").minipcMac).toBe("00:11:22:33:44:aa");
  },
);

test.each([
  ["01:00:5e:00:00:01", "a multicast address"],
  ["00:00:00:00:00:00", "all zero"],
  ["ff:ff:ff:ff:ff:ff", "the broadcast address"],
  ["00:11:22:33:44", "not a MAC address"],
  ["zz:11:22:33:44:55", "not a MAC address"],
  ["0011.2233.4455", "the example in the documents; set the MAC of the real mini-PC"],
])("MAC %s is refused: %s", (minipcMac, wrong) => {
  expect(faultsOf({ minipcMac })).toEqual([expect.stringContaining(wrong)]);
});

test.each([
  [{ minipcIp: "10.10.11.100" }, "minipcIp: outside the appliance's subnet 10.10.10.0/24"],
  [{ minipcIp: "10.10.10.2" }, "minipcIp: the appliance's own address (applianceCidr)"],
  [{ minipcIp: "10.10.10.255" }, "minipcIp: the network or the broadcast address of the subnet"],
  [{ minipcIp: "10.10.10.300" }, "minipcIp: not an IPv4 address"],
  [{ applianceCidr: "10.10.10.2/31" }, "applianceCidr: the prefix length is not between 8 and 30"],
  [{ applianceCidr: "10.10.10.2" }, "applianceCidr: not an IPv4 address with its prefix length"],
  [
    { applianceCidr: "10.10.10.0/24" },
    "applianceCidr: 10.10.10.0 is the network or the broadcast address of its own subnet",
  ],
  [
    { applianceCidr: "127.0.0.2/8" },
    "applianceCidr: 127.0.0.2 is of addresses that no host on a network has (loopback)",
  ],
  [
    { applianceCidr: "224.0.0.2/24" },
    "applianceCidr: 224.0.0.2 is of addresses that no host on a network has (multicast)",
  ],
  [
    { applianceCidr: "0.0.1.2/24" },
    "applianceCidr: 0.0.1.2 is of addresses that no host on a network has (unspecified)",
  ],
  [
    { applianceCidr: "255.255.255.255/24" },
    "applianceCidr: 255.255.255.255 is of addresses that no host on a network has (broadcast)",
  ],
  ...["169.254.10.2/24", "169.254.0.2/16", "169.255.0.2/15"].map((applianceCidr): [object, string] => [
    { applianceCidr },
    "applianceCidr: its network has link-local addresses (169.254.0.0/16), which a Kubernetes node does not take for its own",
  ]),
  [{ dhcpRange: "10.10.9.50-10.10.9.60" }, "dhcpRange: outside the appliance's subnet 10.10.10.0/24"],
  [{ dhcpRange: "10.10.10.60-10.10.10.50" }, "dhcpRange: its first address comes after its last"],
  [{ dhcpRange: "10.10.10.1-10.10.10.9" }, "dhcpRange: holds the appliance's own address 10.10.10.2"],
  [{ dhcpRange: "10.10.10.50" }, "dhcpRange: not FIRST-LAST, two IPv4 addresses"],
  [{ talosVersion: "1.11.6" }, "talosVersion: not a Talos release: v, then three numbers"],
  [{ talosVersion: "v1.8.0" }, "talosVersion: older than v1.9.0, the oldest release that is supported"],
  [
    { bootstrapVersion: "../evil" },
    "bootstrapVersion: names a file or folder: 1 to 64 letters, digits, dots, dashes, underscores (a date in YAML needs quotes)",
  ],
  [{ isoUrl: "http://example.org/talos.iso" }, "isoUrl: neither an https:// nor a file:// URL"],
  [
    { isoUrl: "https://me:hunter2@example.org/talos.iso" },
    "isoUrl: it names a user or a password, which would be shown",
  ],
  [{ talosSchematic: "intel-ucode" }, "talosSchematic: not the id of a schematic"],
  [
    {
      talosSchematic: "a".repeat(64),
      isoUrl: `https://mirror/image/${"b".repeat(64)}/v1.11.6/metal-amd64.iso`,
    },
    `isoUrl: of the schematic ${"b".repeat(64)}, but talosSchematic is ${"a".repeat(64)}`,
  ],
  [
    { isoUrl: `https://mirror/image/${"b".repeat(64)}/v1.10.3/metal-amd64.iso` },
    "isoUrl: of Talos v1.10.3, but talosVersion is v1.11.6",
  ],
  ...[
    "https://s3.example/images",
    "http://s3.example:9000/a/",
    "s3.example/images",
    "https://s3.example?a",
  ].map((endpoint): [Record<string, string>, string] => [
    { endpoint },
    "endpoint: it names a path, and a server has none; the bucket is named by the key bucket",
  ]),
  [
    { ageKeyFile: "~/.config/sops/age/keys.txt" },
    "ageKeyFile: only a shell puts a home in the place of ~: write the path in full",
  ],
  [
    { isoUrl: "file://artifacts/50% talos.iso" },
    "isoUrl: not a file's URL: in one, a % of a path is written %25, and a / is no part of a name",
  ],
  [{ baseUrl: "file:///srv/iso/#1.img" }, "baseUrl: a # or ? of a path is written %23 or %3F in a URL"],
  [{ isoSha256: "abc" }, "isoSha256: not a SHA-256"],
  [{ uplink: "maybe" }, "uplink: neither true nor false"],
  [{ consoles: "tty0,printer" }, "consoles: not a kernel console"],
  [{ consoles: "ttyS0,115200n8,tty" }, "consoles: not a kernel console"],
  [
    { kernelArgs: "console=ttyS0" },
    "kernelArgs: console=ttyS0: the key consoles names the kernel's consoles",
  ],
  [
    { kernelArgs: "talos.config=http://elsewhere/" },
    "kernelArgs: talos.config=http://elsewhere/: the appliance sets talos.config itself",
  ],
  ...["early", "inline", "oauth.client_secret"].map((last): [Record<string, string>, string] => [
    { kernelArgs: `talos.config.${last}=p4ssw0rd` },
    `kernelArgs: talos.config.${last}: the appliance serves the machine config (the key machineConfig), and the kernel line has none`,
  ]),
  [
    { kernelArgs: "[nosmt, nohz]" },
    "kernelArgs: not a list as JSON writes it, each argument in double quotes",
  ],
  [{ kernelArgs: "-pti" }, "kernelArgs: -pti: Talos stops at its start without pti=on"],
  [{ kernelArgs: "nosmt pti=off" }, "kernelArgs: pti=off: Talos stops at its start without pti=on"],
  [{ kernelArgs: "a=${uuid}" }, 'kernelArgs: iPXE reads "${uuid}" of a=${uuid} as its own script'],
  [{ upstreamDns: "9.9.9.9,dns" }, "upstreamDns: not an IP address"],
  [{ upstreamDns: "fe80::1%eth0" }, "upstreamDns: not an IP address"],
  [{ upstreamDns: "1" }, "upstreamDns: not an IP address"],
  [
    { upstreamDns: "9.9.9.9,127.0.0.53" },
    "upstreamDns: 127.0.0.53 is of addresses that no host on a network has (loopback)",
  ],
  [{ upstreamDns: "::1" }, "upstreamDns: ::1 is of addresses that no host on a network has (loopback)"],
  [
    { upstreamDns: "0.0.0.0" },
    "upstreamDns: 0.0.0.0 is of addresses that no host on a network has (unspecified)",
  ],
  [
    { upstreamDns: "ff02::fb" },
    "upstreamDns: ff02::fb is of addresses that no host on a network has (multicast)",
  ],
  [
    { acceptWarnings: "other-nic,noise" },
    expect.stringMatching(/^acceptWarnings: no warning is named noise; there are no-address-on-the-link, /),
  ],
  ...[
    ["192.168.1.0", "192.168.1.0 has no prefix length: for that host alone write 192.168.1.0/32"],
    [
      "192.168.1.17/24",
      "192.168.1.17/24 is an address in the network 192.168.1.0/24: write that, or 192.168.1.17/32 for the host alone",
    ],
    ["0.0.0.0/0", "0.0.0.0/0 is every address there is: name the networks of your own"],
    ["192.0.0.0/2", "192.0.0.0/2 is wider than a network of one's own is, which is /8 at most"],
    ["192.168.1.0/33", "192.168.1.0/33 is not an IPv4 network with its prefix length"],
    ["fd00::/64", "fd00::/64 is not an IPv4 network with its prefix length"],
    ["192.168.1.0/24,", "an empty entry is not an IPv4 network with its prefix length"],
    ["224.0.0.0/8", "224.0.0.0/8 is of addresses that no host on a network has (multicast)"],
    ["127.0.0.1/32", "127.0.0.1/32 is of addresses that no host on a network has (loopback)"],
    ...["10.10.10.0/24", "10.10.0.0/16", "10.10.10.9/32"].map((each) => [
      each,
      `${each} overlaps the isolated link's 10.10.10.0/24 (applianceCidr), and it is a network on the uplink's side: name narrower ones, or set applianceCidr to another network`,
    ]),
  ].map(([operatorNetwork, wrong]): [Record<string, string>, string] => [
    { operatorNetwork: operatorNetwork! },
    `operatorNetwork: ${wrong}`,
  ]),
  [
    { operatorNetwork: "192.168.1.0/24", uplink: "false" },
    "operatorNetwork: its hosts come in by the uplink, and uplink is false",
  ],
  [{ compress: "bzip2" }, "compress: neither none, gzip nor zstd"],
  [{ accelerator: "warp" }, "accelerator: neither auto, kvm, hvf nor tcg"],
  [{ minpcMac: "00:11:22:33:44:66" }, "minpcMac: no such key; did you mean minipcMac"],
  [{ somethingElse: "1" }, "somethingElse: no such key"],
])("%j is refused", (given, fault) => {
  expect(faultsOf(given as Record<string, string>)).toEqual([fault]);
});

test.each(["100.64.0.2/24", "8.8.8.2/24", "192.0.2.2/24", "198.18.0.2/15", "240.0.0.2/24", "169.253.0.2/16"])(
  "an isolated link with the addresses of %s is odd and legal",
  (applianceCidr) => {
    expect(faultsOf({ applianceCidr })).toEqual([]);
  },
);

/** An uplink without DHCP. */
const fixed = { uplinkCidr: "192.168.1.5/24", uplinkGateway: "192.168.1.1", upstreamDns: "192.168.1.1" };

test.each([
  [fixed],
  [{ ...fixed, uplinkGateway: "192.168.1.254", upstreamDns: "9.9.9.9,2620:fe::fe" }],
  [{ ...fixed, uplinkCidr: "192.168.1.2/30" }],
  // The isolated link's route is the narrower one.
  [{ ...fixed, uplinkCidr: "10.1.2.3/8", uplinkGateway: "10.0.0.1" }],
  [{ ...fixed, uplinkCidr: "10.10.11.5/24", uplinkGateway: "10.10.11.1" }],
])("an uplink without DHCP: %j", (given) => {
  expect(faultsOf(given)).toEqual([]);
});

const overlaps = (uplink: string) =>
  `uplinkCidr: its network ${uplink} overlaps the isolated link's 10.10.10.0/24 (applianceCidr)`;

test.each<[change: Record<string, string>, ...faults: string[]]>([
  [{ uplinkCidr: "192.168.1.5" }, "uplinkCidr: not an IPv4 address with its prefix length"],
  [{ uplinkCidr: "192.168.1.5/31" }, "uplinkCidr: the prefix length is not between 8 and 30"],
  [
    { uplinkCidr: "127.0.0.5/8" },
    "uplinkCidr: 127.0.0.5 is of addresses that no host on a network has (loopback)",
  ],
  [
    { uplinkCidr: "192.168.1.0/24" },
    "uplinkCidr: 192.168.1.0 is the network or the broadcast address of its own network",
  ],
  [
    { uplinkCidr: "192.168.1.255/24" },
    "uplinkCidr: 192.168.1.255 is the network or the broadcast address of its own network",
  ],
  [{ uplinkGateway: "router" }, "uplinkGateway: not an IPv4 address"],
  [{ uplinkGateway: "192.168.2.1" }, "uplinkGateway: outside the uplink's network 192.168.1.0/24"],
  [{ uplinkGateway: "192.168.1.5" }, "uplinkGateway: the appliance's own address on the uplink (uplinkCidr)"],
  [
    { uplinkGateway: "192.168.1.255" },
    "uplinkGateway: the network or the broadcast address of the uplink's network",
  ],
  [{ uplinkCidr: "10.10.10.5/24", uplinkGateway: "10.10.10.1" }, overlaps("10.10.10.0/24")],
  [{ uplinkCidr: "10.10.10.200/25", uplinkGateway: "10.10.10.129" }, overlaps("10.10.10.128/25")],
  [{ uplinkCidr: "10.10.10.2/16", uplinkGateway: "10.10.0.1" }, overlaps("10.10.0.0/16")],
  [{ uplinkCidr: "10.1.2.3/8", uplinkGateway: "10.10.10.1" }, overlaps("10.0.0.0/8")],
  [{ uplinkGateway: "" }, "uplinkGateway: uplinkCidr is set, and without a router the uplink leads nowhere"],
  [{ uplinkCidr: "" }, "uplinkCidr: uplinkGateway is set, and DHCP names a router of its own"],
  [{ upstreamDns: "" }, "upstreamDns: uplinkCidr is set, and only DHCP would name resolvers"],
  [{ upstreamDns: "[]" }, "upstreamDns: uplinkCidr is set, and only DHCP would name resolvers"],
  [
    { uplink: "false" },
    "uplinkCidr: it is of the uplink, and uplink is false",
    "uplinkGateway: it is of the uplink, and uplink is false",
  ],
])("an uplink without DHCP, but %j, is refused", (change, ...faults) => {
  expect(faultsOf({ ...fixed, ...change })).toEqual(faults);
});

test.each([
  ["192.168.1.5/24", "192.168.1.1"],
  ["192.168.1.1/24", "192.168.1.2"],
])("the example of a gateway is one of the uplink's network %s", (uplinkCidr, right) => {
  expect(toldOf({ uplinkCidr, upstreamDns: "9.9.9.9" })).toContain(`Right: ${right}\n`);
});

test.each([
  ["tty0", ["tty0"]],
  ["tty0,ttyS0", ["tty0", "ttyS0"]],
  ["tty0, ttyS0,115200n8", ["tty0", "ttyS0,115200n8"]],
  ["ttyS1,9600,tty0", ["ttyS1,9600", "tty0"]],
  ["uart8250,mmio32,0xfe000000,115200n8,hvc0", ["uart8250,mmio32,0xfe000000,115200n8", "hvc0"]],
  ['["tty0", "ttyS0,115200n8"]', ["tty0", "ttyS0,115200n8"]],
])("consoles %s", (consoles, read) => {
  expect(checkConfig({ ...enough, consoles }, "lab", [], {}).consoles).toEqual(read);
});

test.each([
  ["nosmt -selinux", ["nosmt", "-selinux"]],
  ["", undefined],
  ['dyndbg="file x +p"  nosmt', ['dyndbg="file x +p"', "nosmt"]],
  ['["nosmt", "isolcpus=1,2"]', ["nosmt", "isolcpus=1,2"]],
  ["pti=on talos.halt_if_installed=1", ["pti=on", "talos.halt_if_installed=1"]],
  ["-pti=off", ["-pti=off"]],
])("kernelArgs %s", (kernelArgs, read) => {
  expect(checkConfig({ ...enough, kernelArgs }, "lab", [], {}).kernelArgs).toEqual(read);
});

/** The address keys that a stack has which sets only its appliance's. */
const addressesWith = (applianceCidr: string) => {
  const { minipcIp, dhcpRange } = checkConfig({ ...enough, applianceCidr }, "lab", [], {});
  return [minipcIp, dhcpRange.first, dhcpRange.last];
};

test.each([
  ["10.10.10.2/24", ["10.10.10.100", "10.10.10.50", "10.10.10.60"]],
  ["192.168.77.1/24", ["192.168.77.100", "192.168.77.50", "192.168.77.60"]],
  ["172.16.0.2/12", ["172.16.0.100", "172.16.0.50", "172.16.0.60"]],
  ["10.0.0.100/24", ["10.0.0.101", "10.0.0.50", "10.0.0.60"]],
  ["10.0.0.55/24", ["10.0.0.100", "10.0.0.100", "10.0.0.100"]],
  ["192.168.7.1/28", ["192.168.7.14", "192.168.7.14", "192.168.7.14"]],
  ["192.168.7.2/30", ["192.168.7.1", "192.168.7.1", "192.168.7.1"]],
])("one command changes the subnet: the lease and the range follow %s", (cidr, addresses) => {
  expect(addressesWith(cidr)).toEqual(addresses);
});

test("an appliance's address that is right by itself is right with the lease and the range that follow it", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const subnets = fc.tuple(fc.tuple(octet, octet, octet, octet), fc.integer({ min: 8, max: 30 }));
  fc.assert(
    fc.property(subnets, ([own, prefix]) => {
      const faults = faultsOf({ applianceCidr: `${own.join(".")}/${prefix}` });
      expect(faults.filter((fault) => !fault.startsWith("applianceCidr"))).toEqual([]);
    }),
  );
});

test.each([
  [{ applianceCidr: "192.168.77.2/24", dhcpRange: "10.10.10.50-10.10.10.60" }, "192.168.77.50-192.168.77.60"],
  [{ applianceCidr: "192.168.77.2/24", minipcIp: "10.10.10.100" }, "192.168.77.100"],
  [{ applianceCidr: "192.168.77.0/24" }, "192.168.77.2/24"],
  [{ applianceCidr: "127.0.0.1/8" }, "10.10.10.2/24"],
  [{ talosVersion: "1.12.0" }, "v1.12.0"],
  [{ minpcMac: "48:21:0b:00:00:01" }, "minipcMac = 48:21:0b:00:00:01"],
])("the example that an error gives for %j is right", (given, right) => {
  try {
    checkConfig({ ...enough, ...given }, "lab", [], {});
  } catch (fault) {
    expect((fault as ConfigError).faults.map((each) => each.right)).toEqual([right]);
  }
  expect.assertions(1);
});

test("for a subnet that cannot be read, only the subnet is reported", () => {
  expect(faultsOf({ applianceCidr: "10.10.10.2/33" })).toHaveLength(1);
});

test("an upload needs a rehearsal, a bucket and a key, and says so before any work", () => {
  expect(faultsOf({ upload: "true", rehearse: "false" })).toEqual([
    "upload: only what was rehearsed is published, and rehearse is false",
    "bucket: upload is true, and neither it nor IDRIVE_BUCKET is set",
    "upload: there is no key for the bucket: set IDRIVE_ACCESS_KEY and IDRIVE_SECRET_KEY in the environment, or AWS's",
  ]);
  const seed = { IDRIVE_BUCKET: "provisioning", IDRIVE_ACCESS_KEY: "key", IDRIVE_SECRET_KEY: "secret" };
  expect(faultsOf({ upload: "true" }, [], seed)).toEqual([]);
  expect(faultsOf({ upload: "true" }, [], { ...seed, IDRIVE_BUCKET: "No Bucket" })).toEqual([
    expect.stringContaining("bucket: not a bucket's name"),
  ]);
});

test.each([
  [{ IDRIVE_ACCESS_KEY: "key" }, "IDRIVE_ACCESS_KEY is set in the environment, IDRIVE_SECRET_KEY is not"],
  [{ IDRIVE_SECRET_KEY: "secret" }, "IDRIVE_SECRET_KEY is set in the environment, IDRIVE_ACCESS_KEY is not"],
  [{ AWS_ACCESS_KEY_ID: "key" }, "AWS_ACCESS_KEY_ID is set in the environment, AWS_SECRET_ACCESS_KEY is not"],
  [
    { IDRIVE_ACCESS_KEY: "key", AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" },
    "IDRIVE_ACCESS_KEY is set in the environment, IDRIVE_SECRET_KEY is not",
  ],
])("half a key pair is refused before any work: %j", (env, fault) => {
  expect(faultsOf({ upload: "true", bucket: "provisioning" }, [], env)).toEqual([`upload: ${fault}`]);
});

test.each([
  [
    { IDRIVE_ACCESS_KEY: "key", IDRIVE_SECRET_KEY: "hunter2\n" },
    "IDRIVE_SECRET_KEY of the environment has a line break at its end",
  ],
  [
    { AWS_ACCESS_KEY_ID: " key", AWS_SECRET_ACCESS_KEY: "hunter2" },
    "AWS_ACCESS_KEY_ID of the environment has a blank at its beginning",
  ],
  [
    { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "hunter2\u200b" },
    "AWS_SECRET_ACCESS_KEY of the environment has a character that no key has",
  ],
  [
    { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "hunter2", AWS_SESSION_TOKEN: "to\nken" },
    "AWS_SESSION_TOKEN of the environment has a line break",
  ],
])(
  "a key with what comes along when it is copied is found before any work, and not told: %#",
  (env, fault) => {
    const found = faultsOf({ upload: "true", bucket: "provisioning" }, [], env);
    expect(found).toEqual([`upload: ${fault}: set it anew, without`]);
  },
);

test("the key of the pair that does not count may be anything", () => {
  const env = { IDRIVE_ACCESS_KEY: "key", IDRIVE_SECRET_KEY: "secret", AWS_SECRET_ACCESS_KEY: "a b\n" };
  expect(faultsOf({ upload: "true", bucket: "provisioning" }, [], env)).toEqual([]);
});

test("who uploads nothing may have odd variables of other tools; who does is told which", () => {
  const env = {
    AWS_ENDPOINT_URL: "no url",
    AWS_REGION: "No Region",
    IDRIVE_ACCESS_KEY: "key",
    IDRIVE_SECRET_KEY: "secret",
  };
  expect(faultsOf({}, [], env)).toEqual([]);
  const upload = { upload: "true", bucket: "provisioning" };
  expect(faultsOf(upload, [], env)).toEqual([
    "endpoint: neither a host nor a URL, and it comes from AWS_ENDPOINT_URL of the environment",
    "region: not a region, and it comes from AWS_REGION of the environment",
  ]);
  expect(faultsOf({ ...upload, region: "us-west-1", endpoint: "s3.example" }, [], env)).toEqual([]);
});

test("the environment may say where this machine gets the sources of all stacks; a stack's own setting wins", () => {
  const env = {
    BOOTSTRAP_PXE_ISO_URL: "file:///srv/talos.iso",
    BOOTSTRAP_PXE_BASE_URL: "https://mirror/base.img",
  };
  expect(checkConfig(enough, "lab", [], env)).toMatchObject({
    isoUrl: "file:///srv/talos.iso",
    baseUrl: "https://mirror/base.img",
  });
  expect(checkConfig({ ...enough, isoUrl: "file:///mine.iso" }, "lab", [], env).isoUrl).toBe(
    "file:///mine.iso",
  );
  expect(faultsOf({}, [], { BOOTSTRAP_PXE_ISO_URL: "/srv/talos.iso" })).toEqual([
    "isoUrl: neither an https:// nor a file:// URL, and it comes from BOOTSTRAP_PXE_ISO_URL of the environment",
  ]);
});

test("one error lists every fault, with the key, the value, what is wrong and an example", () => {
  const given = {
    minipcMac: "01:00:5e:00:00:01",
    minipcIp: "10.10.11.1",
    uplink: "maybe",
    miniMac: "x",
    bootstrapVersion: "",
  };
  expect(() => checkConfig(given, "lab")).toThrowErrorMatchingSnapshot();
});

test("a value that is set as a secret is refused, since no key here keeps one", () => {
  expect(faultsOf({}, ["minipcMac"])).toEqual([
    "minipcMac: it is set as a secret, and would be shown in plain: no key here takes one",
  ]);
});

/** What a person is told of a config that is refused. */
function toldOf(given: Record<string, string>, secret: string[] = []): string {
  try {
    checkConfig({ ...enough, ...given }, "lab", secret, {});
  } catch (fault) {
    return (fault as ConfigError).message;
  }
  throw new Error("it is accepted");
}

describe("a source's query may be a signature or a token", () => {
  const [signed, isoSha256] = ["https://example.org/talos.iso?X-Sig=hunter2&a=b", "a".repeat(64)];

  test("the environment may have it, where the digest tells which file is meant", () => {
    const env = { BOOTSTRAP_PXE_ISO_URL: signed };
    expect(checkConfig({ ...enough, isoSha256 }, "lab", [], env).isoUrl).toBe(signed);
    expect(faultsOf({}, [], env)).toEqual([
      "isoUrl: what follows its question mark does not count as its name, so isoSha256 has to tell which file is meant",
    ]);
  });

  test("the stack's file may not, and no message shows it", () => {
    const configs: Record<string, string>[] = [
      { isoUrl: signed, isoSha256 },
      { isoUrl: signed },
      { isoUrl: `${signed} ` },
      { isoUrll: signed },
      { baseUrl: `${signed}#hunter2`, baseSha256: isoSha256 },
    ];
    for (const config of configs) expect(toldOf(config)).not.toContain("hunter2");
    expect(toldOf({ isoUrl: signed, isoSha256 })).toContain(
      'isoUrl = "https://example.org/talos.iso?[secret]": what follows its question mark may be a token, which the ' +
        "stack's file and Pulumi's history would show. Right: unset here, and BOOTSTRAP_PXE_ISO_URL in the environment of the command",
    );
  });
});

test("what is wrong with a value that is set as a secret does not quote it", () => {
  const given = { acceptWarnings: "hunter2", kernelArgs: "console=hunter2", minipcMac: "hunter2" };
  expect(toldOf(given, Object.keys(given))).not.toContain("hunter2");
});

test("a secret value is not shown, nor a password in a URL", () => {
  expect(() => checkConfig({ ...enough, isoUrl: "https://me:hunter2@example.org/x" }, "lab")).toThrow(
    /isoUrl = "https:\/\/\[secret\]@example.org\/x"/,
  );
  expect(() => checkConfig({ ...enough, endpoint: "hunter2 hunter2" }, "lab", ["endpoint"])).toThrow(
    /endpoint = "\[secret\]"/,
  );
});

test("resolvers as a YAML list", () => {
  const upstreamDns = '["9.9.9.9","149.112.112.112"]';
  expect(checkConfig({ ...enough, upstreamDns }, "lab", [], {}).upstreamDns).toHaveLength(2);
});

test.each([
  ["", []],
  ["192.168.1.0/24", ["192.168.1.0/24"]],
  ["192.168.1.7/32, 172.16.0.0/12,192.168.1.0/24", ["172.16.0.0/12", "192.168.1.0/24"]],
  ['["192.168.1.0/024", "172.16.0.0/12"]', ["192.168.1.0/24", "172.16.0.0/12"]],
])("the operator's networks %s", (operatorNetwork, read) => {
  expect(checkConfig({ ...enough, operatorNetwork }, "lab", [], {}).operatorNetwork).toEqual(read);
});

test("every key is declared with a description and a default", () => {
  const config = checkConfig(enough, "lab", [], {});
  expect(Object.keys(declaredDefaults()).sort()).toEqual(Object.keys(config).sort());
});

test("an address on the link is accepted if and only if it is a host of the subnet and not the appliance", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(
      fc.tuple(octet, octet, octet, octet),
      fc.integer({ min: 8, max: 30 }),
      fc.tuple(octet, octet, octet, octet),
      (own, prefix, other) => {
        const cidr = `${own.join(".")}/${prefix}`;
        const link = [
          ipaddr.IPv4.networkAddressFromCIDR(cidr),
          ipaddr.IPv4.broadcastAddressFromCIDR(cidr),
        ].map(String);
        fc.pre(!link.includes(own.join(".")));
        fc.pre(!faultsOf({ applianceCidr: cidr }).some((fault) => fault.startsWith("applianceCidr")));
        const lease = other.join(".");
        const fits =
          ipaddr.IPv4.parse(lease).match(ipaddr.IPv4.parseCIDR(cidr)) &&
          lease !== own.join(".") &&
          !link.includes(lease);
        const faults = faultsOf({ applianceCidr: cidr, minipcIp: lease, dhcpRange: `${lease}-${lease}` });
        expect(faults.filter((fault) => fault.startsWith("minipcIp")).length).toBe(fits ? 0 : 1);
      },
    ),
  );
});

test("the MAC of a single machine survives normalisation, whatever its form", () => {
  const bytes = fc
    .uint8Array({ minLength: 6, maxLength: 6 })
    .filter((mac) => (mac[0] ?? 1) % 2 === 0 && mac.some((byte) => byte > 0));
  fc.assert(
    fc.property(bytes, fc.constantFrom(":", "-"), fc.boolean(), (mac, separator, upper) => {
      const hex = [...mac].map((byte) => byte.toString(16).padStart(2, "0"));
      const written = upper ? hex.join(separator).toUpperCase() : hex.join(separator);
      expect(checkConfig({ ...enough, minipcMac: written }, "lab").minipcMac).toBe(hex.join(":"));
    }),
  );
});
