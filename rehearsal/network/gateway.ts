import { dhcpReply, readDhcp, type Lease } from "./dhcp";
import type { Link } from "./link";
import { arpReply, BROADCAST, decode, udpFrame } from "./packets";

/** Locally administered (IEEE 802). */
const MAC = "02:00:5e:00:53:31";
/** What it leases to every host: of a net for documentation (RFC 5737), so that it meets no real one. */
export const UPLINK_LEASE = "192.0.2.15";
/** Another host of that net. */
export const UPLINK_NEIGHBOUR = "192.0.2.77";
const SERVER = "192.0.2.1";

/** A home router's lease: an address, and itself as the way out and the resolver. */
export const HOME: Lease = {
  address: UPLINK_LEASE,
  netmask: "255.255.255.0",
  server: SERVER,
  router: SERVER,
  dns: SERVER,
};

/**
 * Puts a router on a link that answers for its address by ARP, and drops the rest.
 *
 * @param address that it has at the moment; without one it is silent
 */
export function attachRouter(link: Link, address: () => string | undefined): void {
  link.onFrame((frame) => {
    const { source, arp } = decode(frame);
    const own = address();
    if (own && source !== MAC && arp?.operation === 1 && arp.target === own)
      link.send(arpReply({ fromMac: MAC, toMac: source, from: own, to: arp.ip }));
  });
}

/**
 * Puts a gateway on a link that leases an address as a home router does, and drops the rest.
 *
 * @param leased what it gives at the moment; nothing keeps it silent
 */
export function attachGateway(link: Link, leased: () => Lease | undefined): void {
  attachRouter(link, () => leased()?.server);
  link.onFrame((frame) => {
    const { source, udp } = decode(frame);
    const lease = leased();
    if (!lease || source === MAC) return;
    const question = udp?.to === 67 ? readDhcp(udp.payload) : undefined;
    if (!udp || !question || (question.type !== "discover" && question.type !== "request")) return;
    const reply = dhcpReply(udp.payload, question.type === "discover" ? "offer" : "ack", lease);
    const route = { fromMac: MAC, toMac: BROADCAST, from: lease.server, to: "255.255.255.255" };
    link.send(udpFrame(route, 67, 68, reply));
  });
}
