import ipaddr from "ipaddr.js";

/** What a stack says of the link that its mini-PC starts on. */
export interface Surroundings {
  talosVersion: string;
  /** The Image Factory's schematic of the ISO, which the installer has to be of too; unset, it is a plain release. */
  schematic?: string;
  minipcIp: string;
  minipcMac: string;
  applianceCidr: string;
  /** Whether the appliance gives the mini-PC NAT and DNS by a second NIC. */
  uplink: boolean;
  /** Whether the mini-PC joins a cluster that another control plane starts. */
  joins: boolean;
  /** Leases that the stack had when it was checked before. */
  leases?: string[];
}

/** The appliance's own address. */
export const applianceOf = ({ applianceCidr }: Pick<Surroundings, "applianceCidr">) =>
  applianceCidr.split("/")[0]!;

/** Whether an IPv4 address is in the isolated link's subnet. */
export function isOnLink(address: string, { applianceCidr }: Surroundings): boolean {
  const [link, prefix] = ipaddr.IPv4.parseCIDR(applianceCidr);
  return ipaddr.IPv4.isValidFourPartDecimal(address) && ipaddr.IPv4.parse(address).match(link, prefix);
}

/** Where a host is, as far as its name or address shows. */
export function placeOf(
  host: string,
  around: Surroundings,
): "on the link" | "a bare name" | "a name" | "a private network" | "the internet" {
  if (isOnLink(host, around)) return "on the link";
  if (!ipaddr.isValid(host)) return host.includes(".") ? "a name" : "a bare name";
  return ipaddr.process(host).range() === "unicast" ? "the internet" : "a private network";
}
