import { setTimeout as pause } from "node:timers/promises";
import type { Link } from "./link";

const BROADCAST = "ff:ff:ff:ff:ff:ff";
const [ARP, IPV4] = [0x0806, 0x0800];
const [TCP, UDP] = [6, 17];

const macBytes = (mac: string) => Buffer.from(mac.replaceAll(":", ""), "hex");
const ipBytes = (ip: string) => Buffer.from(ip.split(".").map(Number));
const ipText = (bytes: Buffer) => [...bytes].join(".");

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

/** A datagram or segment that the appliance sent to this station. */
export interface Heard {
  protocol: "tcp" | "udp";
  from: number;
  to: number;
  /** Of TCP, the flags. */
  flags: number;
  payload: Buffer;
}

/** No two questions share a port: an answer that goes astray is not taken for another's. */
let lastPort = 40000;

/** A host on a link: one MAC, one address, and the few packets that ask a service whether it answers. */
export class Station {
  readonly heard: Heard[] = [];

  constructor(
    private readonly link: Link,
    readonly mac: string,
    readonly ip: string,
    /** MAC that its packets go to; ARP finds it too. */
    private neighbour = BROADCAST,
  ) {
    link.onFrame((frame) => this.take(frame));
  }

  private frame(to: string, type: number, payload: Buffer): void {
    this.link.send(Buffer.concat([macBytes(to), macBytes(this.mac), uint16(type), payload]));
  }

  private arp(operation: 1 | 2, toMac: string, toIp: string): void {
    const own = Buffer.concat([macBytes(this.mac), ipBytes(this.ip)]);
    const head = Buffer.concat([uint16(1, IPV4), Buffer.from([6, 4]), uint16(operation)]);
    const target = operation === 1 ? "00:00:00:00:00:00" : toMac;
    this.frame(toMac, ARP, Buffer.concat([head, own, macBytes(target), ipBytes(toIp)]));
  }

  private ip4(to: string, protocol: number, payload: Buffer, from = this.ip): void {
    const head = Buffer.alloc(20);
    head.set([0x45, 0]);
    head.writeUInt16BE(20 + payload.length, 2);
    head.set([64, protocol], 8);
    head.set(ipBytes(from), 12);
    head.set(ipBytes(to), 16);
    head.writeUInt16BE(checksum(head), 10);
    this.frame(to === "255.255.255.255" ? BROADCAST : this.neighbour, IPV4, Buffer.concat([head, payload]));
  }

  private take(frame: Buffer): void {
    const type = frame.readUInt16BE(12);
    const packet = frame.subarray(14);
    if (type === ARP && ipText(packet.subarray(24, 28)) === this.ip) {
      this.neighbour = packet.subarray(8, 14).toString("hex").match(/../g)?.join(":") ?? BROADCAST;
      if (packet.readUInt16BE(6) === 1) this.arp(2, this.neighbour, ipText(packet.subarray(14, 18)));
    }
    if (type !== IPV4) return;
    const isOurs = frame.subarray(0, 6).equals(macBytes(this.mac)) || frame[0] === 0xff;
    const start = ((packet[0] ?? 0) & 15) * 4;
    const segment = packet.subarray(start, packet.readUInt16BE(2));
    const protocol = packet[9] === TCP ? "tcp" : packet[9] === UDP ? "udp" : undefined;
    if (!isOurs || !protocol) return;
    const isTcp = protocol === "tcp";
    this.heard.push({
      protocol,
      from: segment.readUInt16BE(0),
      to: segment.readUInt16BE(2),
      flags: isTcp ? (segment[13] ?? 0) : 0,
      payload: Buffer.from(segment.subarray(isTcp ? ((segment[12] ?? 0) >> 4) * 4 : 8)),
    });
  }

  /** Sends a datagram from a new port, or the given one; returns the port. */
  udp(to: string, port: number, payload: Buffer, own = ++lastPort, from = this.ip): number {
    this.ip4(to, UDP, Buffer.concat([uint16(own, port, 8 + payload.length, 0), payload]), from);
    return own;
  }

  /** Asks for a TCP connection; an open port answers SYN and ACK. */
  syn(to: string, port: number): number {
    const own = ++lastPort;
    const head = Buffer.concat([
      uint16(own, port),
      Buffer.alloc(8),
      Buffer.from([0x50, 0x02]),
      uint16(64240, 0, 0),
    ]);
    const pseudo = Buffer.concat([ipBytes(this.ip), ipBytes(to), uint16(TCP, head.length)]);
    head.writeUInt16BE(checksum(Buffer.concat([pseudo, head])), 16);
    this.ip4(to, TCP, head);
    return own;
  }

  /** Asks who has an address. */
  whoHas(ip: string): void {
    this.arp(1, BROADCAST, ip);
  }

  /** Knows the MAC that answered for an address. */
  get met(): boolean {
    return this.neighbour !== BROADCAST;
  }

  /** A DHCPDISCOVER as UEFI's PXE sends it, RFC 2131 and 4578: client architecture 7, x64. */
  discover(): void {
    const message = Buffer.alloc(236);
    message.set([1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78]);
    message.writeUInt16BE(0x8000, 10);
    message.set(macBytes(this.mac), 28);
    const options = [0x63, 0x82, 0x53, 0x63, 53, 1, 1, 55, 6, 1, 3, 6, 42, 66, 67, 93, 2, 0, 7, 60, 9];
    const body = Buffer.concat([message, Buffer.from(options), Buffer.from("PXEClient"), Buffer.from([255])]);
    this.udp("255.255.255.255", 67, body, 68, "0.0.0.0");
  }

  /** Asks again and again until what was heard satisfies; an answer may get lost while a service starts. */
  async ask<T>(what: string, send: () => void, answer: () => T | undefined): Promise<T> {
    for (let tries = 0; tries < 60; tries++) {
      send();
      for (let waits = 0; waits < 10; waits++) {
        const found = answer();
        if (found !== undefined) return found;
        await pause(100);
      }
    }
    throw new Error(`${what}: no answer in a minute`);
  }
}

/** What a DHCPOFFER says, if it is one. */
export function offerIn({ from, payload }: Heard) {
  if (from !== 67 || payload.readUInt32BE(236) !== 0x63825363) return undefined;
  const options = new Map<number, Buffer>();
  for (let at = 240; at < payload.length && payload[at] !== 255;) {
    const [code = 0, length = 0] = [payload[at], payload[at + 1]];
    options.set(code, payload.subarray(at + 2, at + 2 + length));
    at += code === 0 ? 1 : 2 + length;
  }
  const text = (bytes: Buffer | undefined) => bytes?.toString("latin1").replace(/\0.*$/s, "");
  const ip = (code: number) => options.has(code) && ipText((options.get(code) as Buffer).subarray(0, 4));
  return {
    message: options.get(53)?.[0],
    client: payload.subarray(28, 34).toString("hex").match(/../g)?.join(":"),
    address: ipText(payload.subarray(16, 20)),
    file: text(payload.subarray(108, 236)) || text(options.get(67)),
    server: ip(54),
    router: ip(3),
    dns: ip(6),
    ntp: ip(42),
  };
}
