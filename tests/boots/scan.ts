import { STRANGERS, uplinkAddresses } from "../../rehearsal/proofs";
import { UPLINK_LEASE } from "../../rehearsal/network/gateway";
import { decode, SYN, tcpFrame, udpFrame } from "../../rehearsal/network/packets";
import { Station } from "../../rehearsal/network/station";
import { NICS, type Stage } from "../../rehearsal/stage";
import { OPERATOR, operatorsOf } from "../../rehearsal/way-in";
import { demo } from "../e2e/demo";

const ALL_PORTS = Array.from({ length: 65535 }, (_, index) => index + 1);
/** Of services that a small server may have: DNS, DHCP, TFTP, time, NetBIOS, SNMP, IKE, RIP, SSDP, mDNS, LLMNR and more. */
const UDP_PORTS = [
  7, 53, 67, 69, 111, 123, 137, 138, 161, 443, 500, 514, 520, 546, 547, 1900, 4011, 4500, 5000, 5353, 5355,
  6443, 50000,
];
/** A host of the uplink that is in none of the operator's networks. */
export const NEIGHBOUR = { mac: STRANGERS[2], ip: "192.0.2.77" };
const operatorNetworks = demo.operatorNetwork;
/** A host of the network that the demo's config has for operators. */
export const DESK = {
  mac: OPERATOR,
  ip: operatorsOf({ operatorNetworks, ...uplinkAddresses({ operatorNetworks }) })[0] as string,
};
/** Frames that are sent at once, before the appliance has taken them in. */
const AT_ONCE = 2000;

/**
 * Asks for every port of the lease and of the appliance from the uplink, and says what came of it: what was sent to the host, and
 * what went on to the lease.
 */
export async function scan({ site, view }: Stage, host: { mac: string; ip: string }) {
  const uplink = site.uplink!;
  const [answers, forwarded] = [new Set<string>(), new Set<string>()];
  uplink.onFrame((frame) => {
    const { source, ip, tcp, udp } = decode(frame);
    if (source === NICS.uplink && ip?.to === host.ip)
      answers.add(`${ip.from} ${tcp?.from ?? udp?.from ?? "ICMP"}`);
  });
  site.isolated.onFrame((frame) => {
    const { source, ip, tcp, udp } = decode(frame);
    if (source === NICS.isolated && ip?.from === host.ip)
      forwarded.add(`${ip.to} ${tcp ? "TCP" : "UDP"} ${(tcp ?? udp)?.to}`);
  });
  const neighbour = new Station(site, uplink, NEIGHBOUR.mac, NEIGHBOUR.ip);
  const minipc = new Station(site, site.isolated, view.expected.minipcMac, view.expected.minipcIp);
  /** Until both links have taken in what was sent. */
  const settle = async () => {
    expect(await neighbour.meet(UPLINK_LEASE)).toBe(true);
    expect(await minipc.meet(site.applianceIp)).toBe(true);
  };
  for (const to of [UPLINK_LEASE, site.applianceIp, site.minipcIp]) {
    const route = { fromMac: host.mac, toMac: NICS.uplink, from: host.ip, to };
    for (const [index, toPort] of ALL_PORTS.entries()) {
      uplink.send(tcpFrame(route, { fromPort: 40000, toPort, sequence: 1, acknowledged: 0, flags: SYN }));
      if (index % AT_ONCE === 0) await settle();
    }
    for (const port of UDP_PORTS) uplink.send(udpFrame(route, 40000, port, Buffer.alloc(48)));
    await settle();
  }
  return { answers: [...answers].sort(), forwarded: [...forwarded].sort() };
}
