import ipaddr from "ipaddr.js";
import type { StackConfig } from "../../stack/config/keys";
import { factoryPath } from "../../stack/image-factory";

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
  /** Whether the appliance serves the images that the mini-PC needs. */
  offline?: boolean;
  /** References that the stack adds to those images. */
  extraImages?: string[];
  /** Leases that the stack had when it was checked before. */
  leases?: string[];
}

/** What a stack's config says of it; a schematic that is not set is the one that the ISO's URL names. */
export function surroundingsOf(config: StackConfig): Surroundings {
  const { talosVersion, minipcIp, minipcMac, applianceCidr, uplink, joins, offline, extraImages } = config;
  const schematic = config.talosSchematic ?? factoryPath(config.isoUrl ?? "")?.schematic;
  return {
    ...{ talosVersion, schematic, minipcIp, minipcMac, applianceCidr: applianceCidr.cidr },
    ...{ uplink, joins, offline, extraImages },
  };
}

/** The appliance's own address. */
export const applianceOf = ({ applianceCidr }: Pick<Surroundings, "applianceCidr">) =>
  applianceCidr.split("/")[0]!;

/** Whether an IPv4 address is in a network of IPv4, 10.10.10.2/24; what is neither is not. */
export function isIn(cidr: string, address: string): boolean {
  if (!ipaddr.IPv4.isValidCIDR(cidr) || !ipaddr.IPv4.isValidFourPartDecimal(address)) return false;
  const [network, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  return ipaddr.IPv4.parse(address).match(network, prefix);
}

/** Whether an IPv4 address is in the isolated link's subnet. */
export const isOnLink = (address: string, { applianceCidr }: Surroundings) => isIn(applianceCidr, address);

/** Where a host is, as far as its name or address shows. The isolated link and the appliance's NAT are of IPv4 alone. */
export function placeOf(
  host: string,
  around: Surroundings,
): "on the link" | "a bare name" | "a name" | "a private network" | "the internet" | "in IPv6" {
  if (isOnLink(host, around)) return "on the link";
  if (!ipaddr.isValid(host)) return host.includes(".") ? "a name" : "a bare name";
  if (ipaddr.process(host).kind() === "ipv6") return "in IPv6";
  return ipaddr.process(host).range() === "unicast" ? "the internet" : "a private network";
}
