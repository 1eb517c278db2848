import { checkConfig } from "../../../stack/config";
import { faultsOf, refusal } from "./given";

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

test.each([
  [{ applianceCidr: "192.168.77.2/24", dhcpRange: "10.10.10.50-10.10.10.60" }, "192.168.77.50-192.168.77.60"],
  [{ applianceCidr: "192.168.77.2/24", minipcIp: "10.10.10.100" }, "192.168.77.100"],
  [{ applianceCidr: "192.168.77.0/24" }, "192.168.77.2/24"],
  [{ applianceCidr: "127.0.0.1/8" }, "10.10.10.2/24"],
  [{ talosVersion: "1.12.0" }, "v1.12.0"],
  [{ minpcMac: "48:21:0b:00:00:01" }, "minipcMac = 48:21:0b:00:00:01"],
])("the example that an error gives for %j is right", (given, right) => {
  expect(refusal(given)?.faults.map((each) => each.right)).toEqual([right]);
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
