import { checkConfig } from "../../../stack/config";
import { enough, faultsOf, toldOf } from "./given";

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
