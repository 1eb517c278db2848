import { addressings, mayReachElsewhere, type Addressing } from "./link-life";
import { error, warning, type Finding } from "../../stack/finding";
import { covers, neverMatching, USUAL_METRIC } from "./nics";
import type { LinkChoice, LinkEntry, NodeConfig } from "./node-config";
import { applianceOf, isIn, isOnLink, type Surroundings } from "./surroundings";

const withoutPrefix = (address: string) => address.split("/")[0]!;

/** How a choice reads. */
function nameOf(choice: LinkChoice): string {
  if ("name" in choice) return choice.name;
  return Object.entries(choice.selector)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${value}`)
    .join(", ");
}

/** Whether any of it may be about the pinned NIC. */
const mayBePinned = ({ kind, choice, members }: LinkEntry, node: NodeConfig, mac: string) =>
  (kind === "nic" ? [choice] : members).some((each) => covers(each, mac, node) !== "no");

const howToAsk = ({ hasDefaultDhcp }: NodeConfig, mac: string) =>
  hasDefaultDhcp
    ? `Write dhcp: true beside it, with deviceSelector.hardwareAddr ${mac}, or leave that NIC out of the config until the mini-PC has moved`
    : `Add a LinkAliasConfig whose match is mac(link.permanent_addr) == "${mac}", and a DHCPv4Config of its name`;

/** Whether the pinned NIC has an address on the link once the config is applied, which is before the installer is pulled. */
function judgeAddress(node: NodeConfig, around: Surroundings, ways: Addressing[]): Finding[] {
  const { minipcMac: mac } = around;
  const lost = ways.flatMap((way) => ("why" in way ? way : []));
  const [first] = lost;
  if (!first) return [];
  const what =
    `the NIC ${mac} has no address on the isolated link once Talos has applied the config, ` +
    "before it has pulled the installer";
  const way = first.instead ?? howToAsk(node, mac);
  if (ways.every(({ by }) => by === "nothing") && !mayReachElsewhere(node, around))
    return [
      error(
        "no-address-on-the-link",
        `${what}: ${first.why}. ${way}. If another NIC of the mini-PC pulls the installer, name that NIC in the config too`,
      ),
    ];
  const condition = ways.every(({ by }) => by === "nothing")
    ? "This is right only if Talos pulls the installer through the other NIC that the config names"
    : "The config selects a NIC by a name, a driver or an expression, and only the mini-PC shows which NIC that is";
  return [warning("no-address-on-the-link", `it may be that ${what}: ${first.why}. ${condition}. ${way}`)];
}

/** Addresses in the link's subnet that are not the lease: the appliance answers and forwards for the lease alone. */
function judgeAddresses(node: NodeConfig, around: Surroundings, ways: Addressing[]): Finding[] {
  const { minipcIp, minipcMac } = around;
  const entries = node.links.filter(({ kind, ignore }) => kind !== "virtual" && kind !== "vlan" && !ignore);
  const others = (entry: LinkEntry) =>
    entry.addresses.map(withoutPrefix).filter((each) => isOnLink(each, around) && each !== minipcIp);
  const pinned = entries.filter((entry) => mayBePinned(entry, node, minipcMac));
  const wrong = pinned.flatMap(others);
  const hasLease =
    pinned.some(({ dhcp }) => dhcp) ||
    pinned.some(({ addresses }) => addresses.map(withoutPrefix).includes(minipcIp));
  if (wrong.length > 0 && !hasLease && ways.some(({ by }) => by === "nothing"))
    return [
      error(
        "address-on-the-link",
        `the config gives it ${wrong.join(", ")} on the isolated link, but minipcIp is ${minipcIp}, ` +
          "and the appliance serves no other address: change one of the two",
      ),
    ];
  const odd = entries.flatMap(others);
  if (odd.length === 0) return [];
  return [
    warning(
      "address-on-the-link",
      `the config gives the machine ${odd.join(", ")}, in the isolated link's subnet ${around.applianceCidr}, beside its lease ` +
        `${minipcIp}: packets that leave with that address are not forwarded, and the installer may not be pulled. ` +
        "Move the isolated link to another subnet (applianceCidr), or leave the address out until the mini-PC has moved",
    ),
  ];
}

type Addressed = Extract<Addressing, { entries: LinkEntry[] }>;

/** Without the route that DHCP tells, only one of the config's own leads to the uplink. */
function judgeRoute({ by, entries }: Addressed, around: Surroundings): Finding[] {
  const asking = entries.filter(({ dhcp }) => dhcp);
  const ignores = asking.length > 0 && asking.every(({ ignoresRoutes }) => ignoresRoutes);
  const appliance = applianceOf(around);
  if (
    (by === "dhcp" && !ignores) ||
    entries.some(({ gateways }) => gateways.some(({ address }) => address === appliance))
  )
    return [];
  const what = ignores ? "leaves out the routes that DHCP tells" : "gives it as a static address";
  return [
    warning(
      "no-route-to-the-uplink",
      `the mini-PC has its lease ${around.minipcIp}, but the config ${what} and has no default route by ${appliance}: ` +
        "it does not reach the uplink, so nothing is pulled. Add that route, or use those of DHCP",
    ),
  ];
}

/** Default routes of a NIC or a VLAN that the kernel takes: their gateway has to be in a network of its own. */
const usableGateways = ({ addresses, gateways }: LinkEntry, around: Surroundings) =>
  gateways.filter(
    ({ address }) => isOnLink(address, around) || addresses.some((cidr) => isIn(cidr, address)),
  );

/** Another default route with a lower metric takes what is meant for the uplink. */
function judgeBetterRoute({ entries }: Addressed, node: NodeConfig, around: Surroundings): Finding[] {
  const appliance = applianceOf(around);
  const names = entries.map(({ choice }) => JSON.stringify(choice));
  const vlans = node.links.filter(
    ({ kind, members }) => kind === "vlan" && members.some((each) => names.includes(JSON.stringify(each))),
  );
  const gateways = [...entries, ...vlans].flatMap((entry) => usableGateways(entry, around));
  const told = entries.filter(({ dhcp, ignoresRoutes }) => dhcp && !ignoresRoutes);
  const right = Math.min(
    ...told.map(({ dhcpMetric = USUAL_METRIC }) => dhcpMetric),
    ...gateways.filter(({ address }) => address === appliance).map(({ metric }) => metric),
  );
  const better = gateways.find(({ address, metric }) => address !== appliance && metric < right);
  if (!better || right === Infinity) return [];
  return [
    warning(
      "no-route-to-the-uplink",
      `the config gives the mini-PC a default route by ${better.address} with the metric ${better.metric}, which goes before that ` +
        `of ${right} by ${appliance}: on the isolated link nobody answers there, so nothing is pulled. Give it a metric above ` +
        `${right}, or leave it out until the mini-PC has moved`,
    ),
  ];
}

/** Whether what the mini-PC pulls finds its way to the uplink. */
function judgeRoutes(ways: Addressing[], node: NodeConfig, around: Surroundings): Finding[] {
  if (!around.uplink) return [];
  const [first, ...others] = ways.map((way) => ("entries" in way ? way : undefined));
  const missing = first ? judgeRoute(first, around) : [];
  if (missing.length > 0) return missing;
  // What a name or a driver means shows only on the machine: the first that would be wrong is told.
  const better = [first, ...others].flatMap((way) => (way ? judgeBetterRoute(way, node, around) : []));
  return better.slice(0, 1);
}

function judgeChoices(node: NodeConfig, { minipcMac: mac }: Surroundings, ways: Addressing[]): Finding[] {
  const nics = node.links.filter(({ kind }) => kind === "nic");
  const never = neverMatching(node, mac);
  if (never.length > 0)
    return [
      warning(
        "mac-never-matches",
        `the config selects the NIC ${never[0]}, which Talos never finds: it writes MACs in lower case with colons, and ` +
          `compares letter by letter. So none of that applies. Write ${mac}`,
      ),
    ];
  const named = nics.filter(({ choice }) => covers(choice, mac, node) === "no");
  if (named.length === 0 || named.length < nics.length || ways.some(({ by }) => by !== "dhcp")) return [];
  return [
    warning(
      "other-nic",
      `${named[0]!.where} selects the NIC ${named.map(({ choice }) => nameOf(choice)).join(", ")}, but minipcMac is ${mac}: ` +
        "that is right for another NIC of the mini-PC, and the pinned one then gets its lease by DHCP. " +
        `If the pinned NIC is meant, write ${mac}`,
    ),
  ];
}

/** Whether the pinned NIC keeps an address on the isolated link, and which. */
export function judgeLink(node: NodeConfig, around: Surroundings): Finding[] {
  const ways = addressings(node, around);
  const addresses = judgeAddresses(node, around, ways);
  // Another address on the link is the better description of the same fault.
  const address = addresses.some(({ level }) => level === "error") ? [] : judgeAddress(node, around, ways);
  return [...address, ...addresses, ...judgeRoutes(ways, node, around), ...judgeChoices(node, around, ways)];
}
