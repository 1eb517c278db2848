import { join } from "node:path";
import { inToolEnvironment, TOP } from "../tools";

const verdictFile = join(TOP, "packer/appliance/verdict");
const MAC = "48:21:0b:12:34:56";

/** What the appliance sees when all is well. */
const WELL = {
  APPLIANCE_CIDR: "10.10.10.2/24",
  MINIPC_MAC: MAC,
  MINIPC_IP: "10.10.10.100",
  TALOS_VERSION: "v1.11.6",
  BOOTSTRAP_VERSION: "1",
  UPLINK: "true",
  FAULT: "",
  FOREIGN_DHCP: "",
  FOREIGN_GATEWAY: "",
  ISOLATED_MAC: "02:11:32:aa:bb:cc",
  UPLINK_LINK: "up",
  UPLINK_CIDR: "192.168.1.20/24",
  UPLINK_FIXED_CIDR: "",
  UPLINK_GATEWAY: "",
  TAKEN: "",
  ROUTER: "192.168.1.1",
  ROUTER_ANSWERS: "yes",
  RESOLVERS: "192.168.1.1",
  RESOLVERS_ANSWER: "yes",
  CLOCK: "synchronised",
  MISSING: "",
  STARTING: "no",
  IMAGES: "",
  OPERATOR_NETWORKS: "",
};
type Seen = Partial<typeof WELL>;

/** Has one of the appliance's own functions decide. */
async function decide(call: string, seen: Seen = {}): Promise<string> {
  const env = { ...WELL, ...seen };
  return (await inToolEnvironment("sh", ["-euc", `. "$0"; ${call}`, verdictFile], { env })).all ?? "";
}

const serving = `serving ${MAC} -> 10.10.10.100 on isolated (02:11:32:aa:bb:cc), Talos v1.11.6, version 1`;
const overlap = (uplink: string, leased: string, whose = "") =>
  `NOT serving: the uplink's network ${uplink} overlaps the isolated link's 10.10.10.0/24: the appliance was leased ${leased} ` +
  `there${whose}; set applianceCidr to another network, or change the uplink's`;
const none = "so no DNS and no way out";
const fixed = { UPLINK_FIXED_CIDR: "192.168.1.20/24", UPLINK_GATEWAY: "192.168.1.1" };
const nothingUp = {
  UPLINK_CIDR: "",
  ROUTER: "",
  RESOLVERS: "",
  RESOLVERS_ANSWER: "",
  CLOCK: "unsynchronised",
};

test.each<[situation: string, seen: Seen, line: string]>([
  ["all is well", {}, serving],
  [
    "no uplink is wanted",
    { ...nothingUp, UPLINK: "false", UPLINK_LINK: "none" },
    `${serving}; clock unsynchronised`,
  ],
  [
    "one NIC",
    { ...nothingUp, UPLINK_LINK: "none" },
    `${serving}; no second NIC for the uplink, ${none}; clock unsynchronised`,
  ],
  [
    "the uplink without its cable",
    { ...nothingUp, UPLINK_LINK: "down" },
    `${serving}; the uplink's link is down, ${none}; clock unsynchronised`,
  ],
  [
    "an uplink without DHCP",
    nothingUp,
    `${serving}; no uplink address, since no DHCP server gives one there, ${none}; clock unsynchronised`,
  ],
  ["a fixed uplink", fixed, serving],
  [
    "a fixed uplink whose address is not taken yet",
    { ...fixed, ...nothingUp },
    `${serving}; no uplink address yet, since it is asked whether another host there has 192.168.1.20, ${none}; clock unsynchronised`,
  ],
  [
    "a fixed uplink whose address another host has",
    { ...fixed, ...nothingUp, TAKEN: "yes" },
    `${serving}; no uplink address, since another host there has 192.168.1.20, ${none}; clock unsynchronised`,
  ],
  [
    "a fixed uplink without its cable",
    { ...fixed, ...nothingUp, UPLINK_LINK: "down" },
    `${serving}; the uplink's link is down, ${none}; clock unsynchronised`,
  ],
  [
    "a fixed uplink whose router is off",
    { ...fixed, ROUTER_ANSWERS: "no" },
    `${serving}; no way out, since the router 192.168.1.1 does not answer`,
  ],
  [
    "a fixed uplink's gateway on the isolated NIC",
    { ...fixed, FOREIGN_GATEWAY: "yes" },
    "NOT serving: the uplink's gateway 192.168.1.1 answers on the NIC taken for the isolated one (02:11:32:aa:bb:cc): choosing anew",
  ],
  [
    "a lease without a router",
    { ROUTER: "" },
    `${serving}; no way out, since the uplink's lease names no router`,
  ],
  [
    "a router that is gone",
    { ROUTER_ANSWERS: "no" },
    `${serving}; no way out, since the router 192.168.1.1 does not answer`,
  ],
  [
    "a lease without a resolver",
    { RESOLVERS: "" },
    `${serving}; no DNS, since the uplink's lease names no resolver`,
  ],
  [
    "a silent resolver",
    { RESOLVERS_ANSWER: "no" },
    `${serving}; no DNS, since no resolver answers (192.168.1.1)`,
  ],
  [
    "resolvers that cannot help",
    { RESOLVERS: "192.168.1.1 9.9.9.9", RESOLVERS_ANSWER: "error" },
    `${serving}; no DNS, since every resolver answers with an error (192.168.1.1 9.9.9.9)`,
  ],
  ["images are served, too", { IMAGES: "12" }, `${serving}; 12 images`],
  ["one image is served, too", { IMAGES: "1" }, `${serving}; 1 image`],
  ["a resolver that was not asked yet", { RESOLVERS_ANSWER: "" }, serving],
  ["a clock that nobody set", { CLOCK: "unsynchronised" }, `${serving}; clock unsynchronised`],
  [
    "the uplink on the isolated link's network",
    { UPLINK_CIDR: "10.10.10.57/24" },
    overlap("10.10.10.0/24", "10.10.10.57"),
  ],
  [
    "the mini-PC's address leased to the appliance",
    { UPLINK_CIDR: "10.10.10.100/24" },
    overlap("10.10.10.0/24", "10.10.10.100", ", the mini-PC's own address"),
  ],
  [
    "the appliance's address leased to it on the uplink",
    { UPLINK_CIDR: "10.10.10.2/16" },
    overlap("10.10.0.0/16", "10.10.10.2", ", its own address on the isolated link"),
  ],
  [
    "a part of the isolated link's network on the uplink",
    { UPLINK_CIDR: "10.10.10.200/25" },
    overlap("10.10.10.128/25", "10.10.10.200"),
  ],
  [
    "a network around the isolated link's, its router inside",
    { UPLINK_CIDR: "10.1.2.3/8", ROUTER: "10.10.10.1" },
    overlap("10.0.0.0/8", "10.1.2.3"),
  ],
  [
    "a network around the isolated link's, its router outside",
    { UPLINK_CIDR: "10.1.2.3/8", ROUTER: "10.0.0.1" },
    serving,
  ],
  ["a network beside the isolated link's", { UPLINK_CIDR: "10.10.11.5/24" }, serving],
  [
    "two networks that differ in their last bits",
    { APPLIANCE_CIDR: "10.10.10.2/30", UPLINK_CIDR: "10.10.10.5/30" },
    serving,
  ],
  [
    "a DHCP server on the isolated NIC",
    { FOREIGN_DHCP: "yes" },
    "NOT serving: a DHCP server answers on the NIC taken for the isolated one (02:11:32:aa:bb:cc): choosing anew",
  ],
  [
    "a fault of the choice",
    { FAULT: "this machine has no NIC", FOREIGN_DHCP: "yes" },
    "NOT serving: this machine has no NIC",
  ],
  [
    "a service that starts",
    { MISSING: "nginx is not running (activating)", STARTING: "yes" },
    "waiting: nginx is not running (activating)",
  ],
  [
    "a service that ended",
    { MISSING: "nginx is not running (failed)" },
    "NOT serving: nginx is not running (failed)",
  ],
])("the console's line with %s", async (_situation, seen, line) => {
  expect(await decide("verdict", seen)).toBe(line);
});

test.each([
  ["one NIC without DHCP", "a", "", "a "],
  ["one NIC with DHCP", "a", "a", ""],
  ["the uplink second", "a b", "b", "a b"],
  ["the uplink first", "a b", "a", "b a"],
  ["an uplink without DHCP", "a b", "", "a b"],
  ["DHCP on both", "a b", "a b", ""],
  ["three, the uplink last", "a b c", "c", "a c"],
  ["three, the uplink first and last", "a b c", "a c", "b a"],
])("which NIC is which: %s", async (_situation, nics, answered, chosen) => {
  expect(await decide(`choose "${nics}" "${answered}"`)).toBe(chosen);
});

test.each<[situation: string, seen: Seen, terms: string]>([
  ["all is well", {}, "router=yes dns=yes time=infinite"],
  ["no uplink is wanted", { ...nothingUp, UPLINK: "false" }, "router=yes dns=yes time=infinite"],
  ["no uplink address", nothingUp, "router=no dns=no time=2m"],
  ["a lease without a resolver", { RESOLVERS: "" }, "router=yes dns=no time=2m"],
  ["a lease without a router", { ROUTER: "" }, "router=no dns=yes time=2m"],
  [
    "operators and no router",
    { ROUTER: "", OPERATOR_NETWORKS: "192.168.1.0/24" },
    "router=yes dns=yes time=infinite",
  ],
  [
    "operators and no uplink address",
    { ...nothingUp, OPERATOR_NETWORKS: "192.168.1.0/24" },
    "router=no dns=no time=2m",
  ],
])("what the mini-PC's lease names with %s", async (_situation, seen, terms) => {
  expect(await decide("lease_terms", seen)).toBe(terms);
});

test("the console has an operator's route ready to be typed, with the uplink's address", async () => {
  const OPERATOR_NETWORKS = "192.168.1.0/24, 10.9.0.0/16";
  expect(await decide("way_in", { OPERATOR_NETWORKS })).toBe(
    [
      "way in: hosts of 192.168.1.0/24, 10.9.0.0/16 reach ports 50000 and 6443 of 10.10.10.100 by a route via 192.168.1.20",
      "  Linux:   sudo ip route add 10.10.10.100/32 via 192.168.1.20",
      "  macOS:   sudo route -n add 10.10.10.100/32 192.168.1.20",
      "  Windows: route ADD 10.10.10.100 MASK 255.255.255.255 192.168.1.20",
      "  status:  http://192.168.1.20/",
    ].join("\n"),
  );
});

test.each<[situation: string, seen: Seen]>([
  ["without operators", {}],
  ["without an uplink address", { ...nothingUp, OPERATOR_NETWORKS: "192.168.1.0/24" }],
  [
    "where the networks are in each other's way",
    { UPLINK_CIDR: "10.10.10.57/24", OPERATOR_NETWORKS: "192.168.1.0/24" },
  ],
])("no route is named %s", async (_situation, seen) => {
  expect(await decide("way_in; route Linux; route macOS; route Windows", seen)).toBe("");
});
