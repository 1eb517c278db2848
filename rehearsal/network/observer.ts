import { readDhcp } from "./dhcp";
import { REGISTRY_PORT, WEB_PORT } from "../../stack/ports";
import { HttpConnection } from "./http";
import type { Link } from "./link";
import { decode, type Packet } from "./packets";
import type { LinkWhat } from "./seen";
import { TftpTransfers } from "./tftp";

const [TFTP, DHCP_SERVER, DHCP_CLIENT, TIME] = [69, 67, 68, 123];
const SERVED = [WEB_PORT, REGISTRY_PORT];
/** What an NTP packet of a server says itself to be (RFC 5905, figure 10). */
const SERVER_MODE = 4;

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

  function segment({ source, destination, ip, tcp }: Packet): void {
    if (!ip || !tcp) return;
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
