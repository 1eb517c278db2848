import { covers, type Told } from "./nics";
import type { LinkChoice, LinkEntry, NodeConfig } from "./node-config";

/** How the pinned NIC is addressed once Talos has applied its config, if the config's choices mean what is assumed. */
export type Addressing =
  /** It has its lease: by DHCP, or as a static address. */
  | { by: "dhcp" | "static"; entries: LinkEntry[] }
  /** Whether it gets the lease depends on the machine. */
  | { by: "perhaps"; why: string; instead?: string }
  | { by: "nothing"; why: string; instead?: string };

export interface Pinned {
  minipcMac: string;
  minipcIp: string;
}

const hasLease = ({ addresses }: LinkEntry, lease: string) =>
  addresses.some((each) => each.split("/")[0] === lease);

const isOfName = ({ choice }: LinkEntry, name: string) => "name" in choice && choice.name === name;

/** A NIC that is a member of something, which has the address in its place. */
function asMember(
  master: LinkEntry,
  entries: LinkEntry[],
  { minipcMac, minipcIp }: Pinned,
  means: (choice: LinkChoice) => boolean,
): Addressing {
  const what = `${master.where} makes it part of a ${master.kind}`;
  if (hasLease(master, minipcIp)) return { by: "static", entries: [...entries, master] };
  if (!master.dhcp) return { by: "nothing", why: `${what}, which asks for no address by DHCP` };
  if (master.kind === "vrf") return { by: "perhaps", why: `${what}, whose routes nothing else uses` };
  if (master.hardwareAddr && master.hardwareAddr.toLowerCase() !== minipcMac)
    return {
      by: "nothing",
      why: `${what} with the MAC ${master.hardwareAddr}, which the appliance does not answer`,
    };
  // A bond takes its first member's MAC, a bridge the lowest of its ports'.
  const [first, ...others] = master.members;
  const isOwn = first !== undefined && means(first) && (master.kind === "bond" || others.length === 0);
  if (master.hardwareAddr !== undefined || isOwn) return { by: "dhcp", entries: [...entries, master] };
  return { by: "perhaps", why: `${what}, which may ask for an address with the MAC of another member` };
}

/** How the pinned NIC is addressed if it is what `means` says. */
function addressing(node: NodeConfig, pinned: Pinned, means: (choice: LinkChoice) => boolean): Addressing {
  const entries = node.links.filter(({ kind, choice }) => kind === "nic" && means(choice));
  const ignoring = entries.find(({ ignore }) => ignore);
  if (ignoring)
    return { by: "nothing", why: `${ignoring.where} has Talos ignore it`, instead: "Remove ignore" };
  const down = entries.find(({ up }) => !up);
  if (down) return { by: "nothing", why: `${down.where} takes it down`, instead: "Remove up: false" };
  const port = entries.find(({ master }) => master)?.master;
  const master = node.links.find(
    (link) =>
      !link.ignore &&
      ((["bond", "bridge", "vrf"].includes(link.kind) && link.members.some(means)) ||
        (port !== undefined && isOfName(link, port))),
  );
  if (master) return asMember(master, entries, pinned, means);
  if (entries.some(({ dhcp }) => dhcp)) return { by: "dhcp", entries };
  if (entries.some((entry) => hasLease(entry, pinned.minipcIp))) return { by: "static", entries };
  const [first] = entries;
  if (first) {
    const given = entries.flatMap(({ addresses }) => addresses);
    const vlan = node.links.find(({ kind, members }) => kind === "vlan" && members.some(means));
    const what = given.length > 0 ? `gives it ${given.join(", ")}` : "configures it";
    const tagged = vlan ? ` (${vlan.where} is for tagged packets only, which nothing here answers)` : "";
    return { by: "nothing", why: `${first.where} ${what} without DHCP${tagged}` };
  }
  if (node.hasDefaultDhcp) return { by: "dhcp", entries };
  const other = node.links[0]?.where ?? "a DHCPv6Config";
  return {
    by: "nothing",
    why:
      `nothing in it asks for an address by DHCP on that NIC, and since it has ${other} ` +
      "Talos does not ask by itself on any",
  };
}

const keyOf = (choice: LinkChoice) => JSON.stringify(choice);

/** Each way in which the pinned NIC may be addressed: more than one where the config's choices do not say which NIC they mean. */
export function addressings(node: NodeConfig, pinned: Pinned): Addressing[] {
  const choices = node.links.flatMap(({ choice, members }) => [choice, ...members]);
  const answers = new Map<string, Told>(
    choices.map((choice) => [keyOf(choice), covers(choice, pinned.minipcMac, node)]),
  );
  const unsure = [...answers].flatMap(([key, answer]) => (answer === "maybe" ? key : []));
  return [undefined, ...unsure].map((assumed) =>
    addressing(node, pinned, (choice) => {
      const key = keyOf(choice);
      return key === assumed || answers.get(key) === "yes";
    }),
  );
}

/** Whether another NIC than the pinned one may have an address of its own, by which Talos reaches what it needs. */
export function mayReachElsewhere(node: NodeConfig, { minipcMac }: Pinned): boolean {
  return node.links.some(({ kind, choice, members, dhcp, addresses }) => {
    if (kind === "virtual" || (!dhcp && addresses.length === 0)) return false;
    const answers = (kind === "nic" ? [choice] : members).map((each) => covers(each, minipcMac, node));
    // A bond is one link, whichever of its members is in use; a bridge joins its ports' networks.
    return kind === "bond" ? !answers.includes("yes") : answers.some((answer) => answer !== "yes");
  });
}
