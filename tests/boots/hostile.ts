import { decode, arpReply, priorityTagged, SYN, tcpFrame } from "../../rehearsal/network/packets";
import { leaseIsAnswered, servicesOf, STRANGERS } from "../../rehearsal/proofs";
import { Station } from "../../rehearsal/network/station";
import type { Act } from "./turns";
import type { Stage } from "../../rehearsal/stage";

const [NEIGHBOUR, THIEF] = STRANGERS;

/** A mini-PC or a switch that sends frames with a priority and no VLAN is answered by every service, as another one is. */
export async function priorityTagsAreTaken({ site }: Stage): Promise<void> {
  const { isolated } = site;
  const tagging = {
    send: (frame: Buffer) => isolated.send(priorityTagged(frame)),
    onFrame: isolated.onFrame.bind(isolated),
  };
  expect(await leaseIsAnswered({ ...site, isolated: tagging })).toHaveLength(servicesOf(site));
}

/**
 * Hears to which UDP ports the appliance sends what goes to every host of the uplink, or to a group of them: only a question for
 * a lease does, none for a name (LLMNR, multicast DNS).
 */
export function heardByAllOnTheUplink(): { atStart: Act; expectOnlyDhcp: Act } {
  const ports = new Set<number>();
  const hear = ({ site }: Stage) =>
    site.uplink?.onFrame((frame) => {
      const isIpv6 = frame.readUInt16BE(12) === 0x86dd && frame[20] === 17;
      const { source, destination, udp } = decode(frame);
      // The lowest bit of the first byte: a group of hosts, or all (IEEE 802).
      if (source !== site.uplinkNic || (parseInt(destination.slice(0, 2), 16) & 1) === 0) return;
      if (udp) ports.add(udp.to);
      if (isIpv6) ports.add(frame.readUInt16BE(56));
    });
  return { atStart: hear, expectOnlyDhcp: () => expect([...ports]).toEqual([67]) };
}

/** Whoever says by ARP that the lease's address is his gets none of the answers to it. */
export async function forgedArpDrawsNothing({ site }: Stage): Promise<void> {
  const { isolated, minipcIp, applianceIp, isolatedNic } = site;
  let drawn = 0;
  isolated.onFrame((frame) => {
    const { destination, ip } = decode(frame);
    if (destination === THIEF && ip?.to === minipcIp) drawn++;
  });
  const forged = arpReply({ fromMac: THIEF, toMac: isolatedNic, from: minipcIp, to: applianceIp });
  for (let times = 0; times < 20; times++) isolated.send(forged);
  expect(await leaseIsAnswered(site)).toHaveLength(servicesOf(site));
  expect(drawn).toBe(0);
}

/** More connections than the firewall can remember, each from another address, leave room for the lease. */
export async function fullConnectionTableLeavesRoom({ site }: Stage): Promise<void> {
  const { isolated, applianceIp, isolatedNic } = site;
  for (let number = 0; number < 6000; number++) {
    const from = `10.10.10.${3 + (number % 90)}`;
    const route = { fromMac: NEIGHBOUR, toMac: isolatedNic, from, to: applianceIp };
    const head = { fromPort: 1024 + number, toPort: 80, sequence: 1, acknowledged: 0, flags: SYN };
    isolated.send(tcpFrame(route, head));
  }
  expect(await leaseIsAnswered(site)).toHaveLength(servicesOf(site));
}

/** The lease has the boot script. */
export async function minipcIsAnswered({ site }: Stage): Promise<void> {
  const { isolated, applianceIp, minipcMac, minipcIp, isolatedNic } = site;
  const minipc = new Station(site, isolated, minipcMac, minipcIp, isolatedNic);
  const status = await minipc.get(applianceIp, "/boot.ipxe");
  expect(status).toBe(200);
}
