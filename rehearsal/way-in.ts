import type { Link } from "./network/link";
import { ACK, decode, RST, SYN, tcpFrame, type Packet } from "./network/packets";
import { askAgain, Station } from "./network/station";
import { addressIn, OPEN_PORTS, outsideOf } from "./operators";
import { STRANGERS, type Site } from "./proofs";
import type { Proof } from "./record";

/** MACs of hosts on the uplink: one in the stack's operatorNetwork, one outside. */
export const OPERATOR = STRANGERS[3];
const OUTSIDER = STRANGERS[2];
/** Ports that lead nowhere: ssh, a web server's, the kubelet's, trustd's (Talos's for its control planes). */
const CLOSED_PORTS = [22, 80, 443, 10250, 50001];
/** Hosts behind the uplink's gateway (RFC 5737, 1918). */
const FARTHER_OUT = ["198.51.100.7", "203.0.113.7", "172.31.255.7", "10.255.255.7"];

/** An address in each of the operator's networks that a host on the uplink may have. */
export const operatorsOf = ({
  operatorNetworks = [],
  uplinkAddress,
  uplinkGateway,
  uplinkNeighbour,
}: Pick<Site, "operatorNetworks" | "uplinkAddress" | "uplinkGateway" | "uplinkNeighbour">): string[] =>
  operatorNetworks.flatMap(
    (network) => addressIn(network, [uplinkAddress, uplinkGateway, uplinkNeighbour]) ?? [],
  );

/** A packet of one of the hosts, as the appliance sends it on to the lease. */
interface Forwarded {
  from: string;
  port: string;
}

/**
 * Hears what is sent on to the lease, and answers in its name what asks for a connection: the mini-PC itself may be about to
 * restart, or have another address by its config.
 */
function standIn({ isolated, isolatedNic, minipcMac, minipcIp }: Site, hosts: string[]): Forwarded[] {
  const forwarded: Forwarded[] = [];
  isolated.onFrame((frame) => {
    const { source, ip, tcp, udp } = decode(frame);
    if (source !== isolatedNic || ip?.to !== minipcIp || !hosts.includes(ip.from)) return;
    forwarded.push({ from: ip.from, port: tcp ? String(tcp.to) : `UDP ${udp?.to ?? "of none"}` });
    if (!tcp || (tcp.flags & (SYN | ACK)) !== SYN) return;
    const route = { fromMac: minipcMac, toMac: isolatedNic, from: minipcIp, to: ip.from };
    const head = { fromPort: tcp.to, toPort: tcp.from, sequence: 1, acknowledged: (tcp.sequence + 1) >>> 0 };
    isolated.send(tcpFrame(route, { ...head, flags: SYN | ACK }));
  });
  return forwarded;
}

/** Asks for connections. @returns the ports that answered so far under the lease's own address, as asked later */
function ask(station: Station, to: string, ports: readonly number[]): () => number[] {
  const asked = ports.map((port) => ({ port, own: station.syn(to, port) }));
  const isAnswer = ({ ip, tcp }: Packet, port: number, own: number) =>
    ip?.from === to && tcp?.from === port && tcp.to === own && (tcp.flags & (SYN | RST)) !== 0;
  return () =>
    asked
      .filter(({ port, own }) => station.heard.some((packet) => isAnswer(packet, port, own)))
      .map(({ port }) => port);
}

/** The operators get to both ports. @returns those that did not in the end */
async function askAsOperators(site: Site, operators: Station[]): Promise<string[]> {
  const asked: { ip: string; answered: () => number[] }[] = [];
  const isAnswered = (operator: string, port: number) =>
    asked.some(({ ip, answered }) => ip === operator && answered().includes(port));
  const missing = () =>
    operators.flatMap(({ ip }) =>
      OPEN_PORTS.filter((port) => !isAnswered(ip, port)).map((port) => `${ip} port ${port}`),
    );
  const askAll = () => {
    for (const each of operators) asked.push({ ip: each.ip, answered: ask(each, site.minipcIp, OPEN_PORTS) });
  };
  await askAgain(site, askAll, () => missing().length === 0);
  return missing();
}

const list = (names: readonly (string | number)[]) => [...new Set(names)].join(", ");

/**
 * Of all hosts on the uplink, those of the stack's operatorNetwork get through to two ports of the mini-PC, and nobody gets to
 * another one. Without operatorNetwork nobody gets through.
 *
 * @returns none where the appliance has no uplink, or no address there, which another proof says
 */
export async function onlyOperatorsGetIn(site: Site): Promise<Proof[]> {
  const { uplink, uplinkNic, minipcIp, uplinkAddress, operatorNetworks = [] } = site;
  if (!uplink) return [];
  const on = (mac: string, ip: string, link: Link = uplink) => new Station(site, link, mac, ip, uplinkNic);
  const neighbour = on(OUTSIDER, site.uplinkNeighbour);
  if (!(await neighbour.meet(uplinkAddress))) return [];
  const inside = operatorsOf(site);
  const outside = outsideOf(operatorNetworks, [site.uplinkNeighbour, ...FARTHER_OUT]).slice(0, 2);
  const forwarded = standIn(site, [...inside, ...outside]);
  const operators = inside.map((ip) => on(OPERATOR, ip));
  const closed = outside.map((ip) => on(OUTSIDER, ip));
  for (const each of closed) ask(each, minipcIp, [...OPEN_PORTS, ...CLOSED_PORTS]);
  for (const each of operators) ask(each, minipcIp, CLOSED_PORTS);
  for (const each of [...closed, ...operators])
    for (const port of [...OPEN_PORTS, ...CLOSED_PORTS]) each.udp(minipcIp, port, Buffer.alloc(8));
  const missing = await askAsOperators(site, operators);
  // Both links have taken in by then what was sent before, and sent it on.
  await neighbour.meet(uplinkAddress);
  const minipc = new Station(site, site.isolated, site.minipcMac, minipcIp, site.isolatedNic);
  const isControlled = await minipc.meet(site.applianceIp);
  const open = OPEN_PORTS.map(String);
  const stray = forwarded.filter(({ from, port }) => !inside.includes(from) || !open.includes(port));
  const asOperator =
    inside.length > 0
      ? [
          `${list(inside)} on ports ${list(open)}: ${missing.length === 0 ? "answered" : `not answered, ${list(missing)}`}`,
        ]
      : [];
  const others = `${list([...outside, ...inside])}${inside.length > 0 ? " elsewhere" : ""}`;
  const strays =
    stray.length === 0 ? "nothing got through" : list(stray.map(({ from, port }) => `${from} to ${port}`));
  return [
    {
      id: "way-in",
      title:
        inside.length > 0
          ? `only hosts of operatorNetwork get through, to ports ${open.join(" and ")} alone`
          : "nobody on the uplink gets through to the mini-PC",
      held: isControlled && missing.length === 0 && stray.length === 0,
      evidence: [...asOperator, `${others}: ${strays}`].join("; "),
    },
  ];
}
