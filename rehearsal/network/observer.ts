import { readDhcp } from "./dhcp";
import { REGISTRY_PORT, WEB_PORT } from "../../stack/ports";
import { HttpConnection } from "./http";
import type { Link } from "./link";
import { OPEN_PORTS } from "../operators";
import { ACK, decode, RST, SYN, type Packet } from "./packets";
import type { LinkWhat, OperatorWhat } from "./seen";
import { TftpTransfers } from "./tftp";

const [TFTP, DHCP_SERVER, DHCP_CLIENT, TIME] = [69, 67, 68, 123];
const SERVED = [WEB_PORT, REGISTRY_PORT];
/** What an NTP packet of a server says itself to be (RFC 5905, figure 10). */
const SERVER_MODE = 4;

/** What a segment says of a connection to a port of the operator's way in: its first one, and the first answer. */
function operatorsConnection({ source, destination, ip, tcp }: Packet): OperatorWhat | undefined {
  if (!ip || !tcp) return undefined;
  const from = {
    kind: "operator",
    mac: destination,
    client: ip.to,
    server: ip.from,
    port: tcp.from,
  } as const;
  if (OPEN_PORTS.includes(tcp.from) && tcp.flags & RST) return { ...from, state: "refused" };
  if (OPEN_PORTS.includes(tcp.from) && tcp.flags & SYN && tcp.flags & ACK)
    return { ...from, state: "accepted" };
  return OPEN_PORTS.includes(tcp.to) && (tcp.flags & (SYN | ACK)) === SYN
    ? { kind: "operator", mac: source, client: ip.from, server: ip.to, port: tcp.to, state: "asked" }
    : undefined;
}

/** Turns the frames of a link into what they mean for a network boot. */
export function observe(link: Link, tell: (what: LinkWhat) => void): void {
  const transfers = new TftpTransfers();
  const connections = new Map<string, HttpConnection>();

  function datagram({ source, destination, ip, udp }: Packet): void {
    if (!ip || !udp) return;
    const { from, to, payload } = udp;
    if (from === DHCP_SERVER || from === DHCP_CLIENT) {
      const message = readDhcp(payload);
      if (message) tell({ link: link.name, kind: "dhcp", mac: source, message });
    } else if (to === TFTP) {
      const what = transfers.request(`${ip.from}:${from}`, source, payload);
      if (what) tell({ link: link.name, ...what });
    } else if ((to === TIME || from === TIME) && payload.length >= 48) {
      const isAnswer = (payload.readUInt8(0) & 7) === SERVER_MODE;
      const told = { link: link.name, kind: "time" } as const;
      if (isAnswer) tell({ ...told, mac: destination, state: "answered", stratum: payload.readUInt8(1) });
      else tell({ ...told, mac: source, state: "asked" });
    } else {
      const what = transfers.answer(`${ip.to}:${to}`, payload);
      if (what) tell({ link: link.name, ...what });
    }
  }

  function segment(packet: Packet): void {
    const { source, destination, ip, tcp } = packet;
    if (!ip || !tcp) return;
    const asked = operatorsConnection(packet);
    if (asked) tell({ link: link.name, ...asked });
    const fromClient = SERVED.includes(tcp.to);
    if (!fromClient && !SERVED.includes(tcp.from)) return;
    const [mac, port] = fromClient ? [source, tcp.to] : [destination, tcp.from];
    const key = `${port} ${mac} ${fromClient ? `${ip.from}:${tcp.from}` : `${ip.to}:${tcp.to}`}`;
    const connection = connections.get(key) ?? new HttpConnection(mac, port);
    connections.set(key, connection);
    for (const what of connection.take(tcp, fromClient)) tell({ link: link.name, ...what });
  }

  link.onFrame((frame) => {
    const packet = decode(frame);
    const { arp, source } = packet;
    if (arp && arp.ip !== "0.0.0.0") tell({ link: link.name, kind: "address", ip: arp.ip, mac: source });
    datagram(packet);
    segment(packet);
  });
}
