import ipaddr from "ipaddr.js";
import { asAddress, asNumber, isIn } from "../stack/config/subnet";
import { APID_PORT, KUBERNETES_PORT } from "../stack/ports";

/** TCP ports of the mini-PC that the operator's way in leads to. */
export const OPEN_PORTS: readonly number[] = [APID_PORT, KUBERNETES_PORT];

/** How many addresses of a network are looked at for one that nobody has. */
const TRIED = 8;

/**
 * An address that a host of a network may have: from its end, since its first ones are its router's as a rule.
 *
 * @param network by any of its addresses, with the prefix length
 * @param taken addresses that somebody else has
 * @returns unset where none of the last ones is free
 */
export function addressIn(network: string, taken: readonly string[]): string | undefined {
  const [, length] = ipaddr.IPv4.parseCIDR(network);
  const size = 2 ** (32 - length);
  // The first and the last address are no host's, but in a network of two or of one (RFC 3021).
  const margin = size > 2 ? 1 : 0;
  const last = asNumber(ipaddr.IPv4.broadcastAddressFromCIDR(network).toString()) - margin;
  const count = Math.min(TRIED, size - 2 * margin);
  const candidates = Array.from({ length: count }, (_, back) => asAddress(last - back));
  return candidates.find((address) => !taken.includes(address));
}

/** Of some addresses those that are in none of the networks, each as NETWORK/LENGTH. */
export const outsideOf = (networks: readonly string[], addresses: readonly string[]): string[] =>
  addresses.filter((address) => !networks.some((network) => isIn(address, network)));
