import { dhcpReply, readDhcp } from "./dhcp";
import type { Link } from "./link";
import { arpReply, BROADCAST, decode, udpFrame } from "./packets";

/** Locally administered (IEEE 802). */
const MAC = "02:00:5e:00:53:31";
/** What it leases to every host: of a net for documentation (RFC 5737), so that it meets no real one. */
export const UPLINK_LEASE = "192.0.2.15";
const NET = { address: UPLINK_LEASE, server: "192.0.2.1", netmask: "255.255.255.0" };

/** Puts a gateway on a link as a home router is one: it leases an address, names itself as the way out, and drops the rest. */
export function attachGateway(link: Link): void {
  link.onFrame((frame) => {
    const { source, arp, udp } = decode(frame);
    if (arp?.operation === 1 && arp.target === NET.server)
      link.send(arpReply({ fromMac: MAC, toMac: source, from: NET.server, to: arp.ip }));
    const question = udp?.to === 67 ? readDhcp(udp.payload) : undefined;
    if (!udp || !question || (question.type !== "discover" && question.type !== "request")) return;
    const reply = dhcpReply(udp.payload, question.type === "discover" ? "offer" : "ack", NET);
    const route = { fromMac: MAC, toMac: BROADCAST, from: NET.server, to: "255.255.255.255" };
    link.send(udpFrame(route, 67, 68, reply));
  });
}
