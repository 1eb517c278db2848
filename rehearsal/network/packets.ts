/** The parts of a frame that a network boot is recognised by: RFC 826 (ARP), 791 (IPv4), 768 (UDP), 9293 (TCP). */
export interface Packet {
  /** MACs, lower-case with colons. */
  source: string;
  destination: string;
  arp?: { operation: number; mac: string; ip: string; target: string };
  ip?: { from: string; to: string };
  udp?: Segment;
  tcp?: Segment & { sequence: number; flags: number };
}

interface Segment {
  from: number;
  to: number;
  payload: Buffer;
}

export const BROADCAST = "ff:ff:ff:ff:ff:ff";
const [ARP, IPV4, VLAN] = [0x0806, 0x0800, 0x8100];
const [TCP_PROTOCOL, UDP_PROTOCOL] = [6, 17];
/** Bits of TCP's flags. */
export const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];

export const macText = (bytes: Buffer) => bytes.toString("hex").replace(/..(?=.)/g, "$&:");
export const ipText = (bytes: Buffer) => bytes.join(".");
export const macBytes = (mac: string) => Buffer.from(mac.replaceAll(":", ""), "hex");
export const ipBytes = (ip: string) => Buffer.from(ip.split(".").map(Number));

/** A frame with a priority and no VLAN (IEEE 802.1Q, VLAN 0), as some switches and NICs send it. */
export function priorityTagged(frame: Buffer, priority = 1): Buffer {
  return Buffer.concat([frame.subarray(0, 12), uint16(VLAN, priority << 13), frame.subarray(12)]);
}

/** What a frame says; parts that are not there or cut short are left out, and so is the tag of a priority. */
export function decode(frame: Buffer): Packet {
  if (frame.length >= 18 && frame.readUInt16BE(12) === VLAN && (frame.readUInt16BE(14) & 0xfff) === 0)
    return decode(Buffer.concat([frame.subarray(0, 12), frame.subarray(16)]));
  const packet: Packet = {
    destination: macText(frame.subarray(0, 6)),
    source: macText(frame.subarray(6, 12)),
  };
  const [type, body] = [frame.length < 14 ? 0 : frame.readUInt16BE(12), frame.subarray(14)];
  if (type === ARP && body.length >= 28) {
    packet.arp = {
      operation: body.readUInt16BE(6),
      mac: macText(body.subarray(8, 14)),
      ip: ipText(body.subarray(14, 18)),
      target: ipText(body.subarray(24, 28)),
    };
  }
  if (type !== IPV4 || body.length < 20) return packet;
  packet.ip = { from: ipText(body.subarray(12, 16)), to: ipText(body.subarray(16, 20)) };
  // Short frames are padded: the packet's own length counts.
  const segment = body.subarray((body.readUInt8(0) & 15) * 4, body.readUInt16BE(2));
  const protocol = body.readUInt8(9);
  if (protocol === UDP_PROTOCOL && segment.length >= 8) {
    packet.udp = { from: segment.readUInt16BE(0), to: segment.readUInt16BE(2), payload: segment.subarray(8) };
  } else if (protocol === TCP_PROTOCOL && segment.length >= 20) {
    packet.tcp = {
      from: segment.readUInt16BE(0),
      to: segment.readUInt16BE(2),
      sequence: segment.readUInt32BE(4),
      flags: segment.readUInt8(13),
      payload: segment.subarray((segment.readUInt8(12) >> 4) * 4),
    };
  }
  return packet;
}

function uint16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, index) => bytes.writeUInt16BE(value, 2 * index));
  return bytes;
}

/** The checksum of IP and TCP, RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

interface Route {
  fromMac: string;
  toMac: string;
  from: string;
  to: string;
}

const ethernet = (toMac: string, fromMac: string, type: number, body: Buffer) =>
  Buffer.concat([macBytes(toMac), macBytes(fromMac), uint16(type), body]);

function ipv4({ fromMac, toMac, from, to }: Route, protocol: number, segment: Buffer): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt8(0x45, 0);
  head.writeUInt16BE(20 + segment.length, 2);
  head.set([64, protocol], 8);
  head.set([...ipBytes(from), ...ipBytes(to)], 12);
  head.writeUInt16BE(checksum(head), 10);
  return ethernet(toMac, fromMac, IPV4, Buffer.concat([head, segment]));
}

/** Asks who has an address; from `0.0.0.0` it claims none itself (RFC 5227). */
export function arpRequest(fromMac: string, from: string, target: string): Buffer {
  const ask = Buffer.concat([
    uint16(1, IPV4),
    Buffer.from([6, 4]),
    uint16(1),
    macBytes(fromMac),
    ipBytes(from),
  ]);
  return ethernet(BROADCAST, fromMac, ARP, Buffer.concat([ask, Buffer.alloc(6), ipBytes(target)]));
}

export function arpReply({ fromMac, toMac, from, to }: Route): Buffer {
  const own = Buffer.concat([macBytes(fromMac), ipBytes(from), macBytes(toMac), ipBytes(to)]);
  return ethernet(toMac, fromMac, ARP, Buffer.concat([uint16(1, IPV4), Buffer.from([6, 4]), uint16(2), own]));
}

export function udpFrame(route: Route, fromPort: number, toPort: number, payload: Buffer): Buffer {
  return ipv4(route, UDP_PROTOCOL, Buffer.concat([uint16(fromPort, toPort, 8 + payload.length, 0), payload]));
}

interface TcpHead {
  fromPort: number;
  toPort: number;
  sequence: number;
  acknowledged: number;
  flags: number;
}

export function tcpFrame(route: Route, head: TcpHead, payload: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16BE(head.fromPort, 0);
  bytes.writeUInt16BE(head.toPort, 2);
  bytes.writeUInt32BE(head.sequence, 4);
  bytes.writeUInt32BE(head.acknowledged, 8);
  bytes.writeUInt16BE((5 << 12) | head.flags, 12);
  bytes.writeUInt16BE(64240, 14);
  const segment = Buffer.concat([bytes, payload]);
  const pseudo = [ipBytes(route.from), ipBytes(route.to), uint16(TCP_PROTOCOL, segment.length)];
  segment.writeUInt16BE(checksum(Buffer.concat([...pseudo, segment])), 16);
  return ipv4(route, TCP_PROTOCOL, segment);
}
