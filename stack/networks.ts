import ipaddr from "ipaddr.js";

/**
 * Whether two networks have an address in common: then one holds the other.
 *
 * @param one as NETWORK/LENGTH, and so is the other
 */
export function overlap(one: string, other: string): boolean {
  const [first, second] = [ipaddr.IPv4.parseCIDR(one), ipaddr.IPv4.parseCIDR(other)];
  return first[0].match(second[0], Math.min(first[1], second[1]));
}

/**
 * Networks without those that another one of them holds, in their order; nft refuses a set in which two overlap.
 *
 * @param networks each as NETWORK/LENGTH
 */
export function withoutHeld(networks: string[]): string[] {
  const length = (network: string) => Number(network.split("/")[1]);
  const isHeld = (network: string, index: number) =>
    networks.some(
      (other, otherIndex) =>
        otherIndex !== index &&
        overlap(network, other) &&
        (length(other) < length(network) || (length(other) === length(network) && otherIndex < index)),
    );
  return networks.filter((network, index) => !isHeld(network, index));
}

/**
 * A network without one of its addresses, as the fewest networks that make it up: at each length, the half that the address
 * is not in.
 *
 * @param prefix length of the whole network, 0 to 32
 * @returns each as NETWORK/LENGTH, the largest first; none where the network is that address alone
 */
export function networksBut(prefix: number, address: string): string[] {
  const number = ipaddr.IPv4.parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0);
  return Array.from({ length: 32 - prefix }, (_, index) => {
    const size = 2 ** (31 - prefix - index);
    const half = Math.floor(number / size);
    const network = (half % 2 === 0 ? half + 1 : half - 1) * size;
    const bytes = [24, 16, 8, 0].map((shift) => Math.floor(network / 2 ** shift) % 256);
    return `${bytes.join(".")}/${prefix + index + 1}`;
  });
}
