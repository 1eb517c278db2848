import ipaddr from "ipaddr.js";
import type * as z from "zod";
import { cidr } from "./values";

export type Subnet = z.output<typeof cidr>;

/** Whether an address is in a network, which is given by any of its addresses with the prefix length. */
export const isIn = (address: string, network: string): boolean =>
  ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(network));

export const inSubnet = (address: string, subnet: Subnet): boolean => isIn(address, subnet.cidr);

export const asNumber = (address: string) =>
  ipaddr.IPv4.parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0);

export const asAddress = (number: number) =>
  new ipaddr.IPv4([24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256)).toString();

/** Leases that suit a subnet, the best first: from its host 100 on, then those below. */
export function* leasesFor(subnet: Subnet): Generator<string> {
  const [network, last] = [asNumber(subnet.network), asNumber(subnet.broadcast) - 1];
  const own = asNumber(subnet.address);
  const middle = Math.min(network + 100, last);
  for (let host = middle; host <= last; host++) if (host !== own) yield asAddress(host);
  for (let host = middle - 1; host > network; host--) if (host !== own) yield asAddress(host);
}

/** The addresses of a stack that sets none of its own: its subnet's host 100, and hosts 50 to 60. */
export function addressesOf(subnet: Subnet): { minipcIp: string; dhcpRange: string } {
  const minipcIp = leasesFor(subnet).next().value as string;
  const [first, last] = [50, 60].map((host) => asNumber(subnet.network) + host) as [number, number];
  const own = asNumber(subnet.address);
  // A range has to be in the subnet without the appliance; only the lease is ever given out.
  const fits = last < asNumber(subnet.broadcast) && (own < first || own > last);
  return { minipcIp, dhcpRange: fits ? `${asAddress(first)}-${asAddress(last)}` : `${minipcIp}-${minipcIp}` };
}

/** The first host of a subnet, or the second where the subnet's own address is the first: what a router commonly has. */
export function firstBeside(subnet: Subnet): string {
  const first = asNumber(subnet.network) + 1;
  return asAddress(first === asNumber(subnet.address) ? first + 1 : first);
}

/** The subnet that was meant, as far as a value shows it: also the one of a network's own address. */
export function subnetOf(value: string | undefined): Subnet | undefined {
  const read = cidr.safeParse(value);
  return read.success ? read.data : undefined;
}
