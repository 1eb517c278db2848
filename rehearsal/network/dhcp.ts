import { ipBytes, ipText, macBytes, macText } from "./packets";

/** Who asks: the firmware's PXE, iPXE, or an operating system. */
type DhcpStage = "firmware" | "ipxe" | "system";

/** A DHCP message, as far as a network boot goes; options by RFC 2132, 4578 and iPXE's 175. */
export interface DhcpMessage {
  type: "discover" | "offer" | "request" | "ack" | "nak";
  /** MAC of the client. */
  client: string;
  /** Of a question only: an answer does not say whom it takes the client for. */
  stage?: DhcpStage;
  /** Client architecture (RFC 4578): 0 BIOS, 7 and 9 UEFI x64, 16 UEFI x64 by HTTP. */
  architecture?: number;
  /** Address given; unset in a question. */
  address?: string;
  /** Boot file, unset when none is named. */
  file?: string;
  server?: string;
  router?: string;
  dns?: string;
  ntp?: string;
}

const MAGIC = 0x63825363;
/** By its number (RFC 2132, section 9.6). */
const TYPES = { 1: "discover", 2: "offer", 3: "request", 5: "ack", 6: "nak" } as const;
const NUMBERS = { offer: 2, ack: 5 } as const;
const OPTION = {
  netmask: 1,
  router: 3,
  dns: 6,
  ntp: 42,
  leaseTime: 51,
  type: 53,
  server: 54,
  vendor: 60,
  file: 67,
  user: 77,
  architecture: 93,
  routes: 121,
};
const IPXE = 175;

const text = (bytes: Buffer | undefined) => (bytes?.toString("latin1") ?? "").replace(/\0.*$/s, "");

function optionsIn(message: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = 240; at < message.length && message[at] !== 255;) {
    const [code = 0, length = 0] = [message[at], message[at + 1]];
    if (code !== 0) options.set(code, message.subarray(at + 2, at + 2 + length));
    at += code === 0 ? 1 : 2 + length;
  }
  return options;
}

/** Reads the payload of a datagram to or from port 67; undefined when it is no DHCP message of a known type. */
export function readDhcp(message: Buffer): DhcpMessage | undefined {
  if (message.length < 241 || message.readUInt32BE(236) !== MAGIC) return undefined;
  const options = optionsIn(message);
  const type = TYPES[options.get(OPTION.type)?.[0] as keyof typeof TYPES];
  if (!type) return undefined;
  const ip = (code: number) => {
    const value = options.get(code);
    return value && value.length >= 4 ? ipText(value.subarray(0, 4)) : undefined;
  };
  const read: DhcpMessage = { type, client: macText(message.subarray(28, 34)), server: ip(OPTION.server) };
  if (message[0] === 1) {
    const isIpxe = options.has(IPXE) || text(options.get(OPTION.user)) === "iPXE";
    const isFirmware = /^(PXE|HTTP)Client/.test(text(options.get(OPTION.vendor)));
    read.stage = isIpxe ? "ipxe" : isFirmware ? "firmware" : "system";
    const architecture = options.get(OPTION.architecture);
    if (architecture && architecture.length >= 2) read.architecture = architecture.readUInt16BE(0);
    return read;
  }
  const file = text(message.subarray(108, 236)) || text(options.get(OPTION.file));
  return {
    ...read,
    address: ipText(message.subarray(16, 20)),
    file: file || undefined,
    router: ip(OPTION.router),
    dns: ip(OPTION.dns),
    ntp: ip(OPTION.ntp),
  };
}

/** A DHCPDISCOVER as UEFI's PXE sends it, RFC 2131 and 4578: client architecture 7, x64. */
export function discover(mac: string): Buffer {
  const message = Buffer.alloc(240);
  message.set([1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78]);
  // The answer is to be broadcast: who asks has no address yet.
  message.writeUInt16BE(0x8000, 10);
  message.set(macBytes(mac), 28);
  message.writeUInt32BE(MAGIC, 236);
  const { type, vendor, architecture, router, dns, ntp, file } = OPTION;
  const options = [type, 1, 1, 55, 5, 1, router, dns, ntp, file, architecture, 2, 0, 7, vendor, 9];
  return Buffer.concat([message, Buffer.from(options), Buffer.from("PXEClient"), Buffer.from([255])]);
}

/** What a DHCP server of an uplink gives. */
export interface Lease {
  address: string;
  netmask: string;
  server: string;
  /** Way out; unset names none. */
  router?: string;
  /** Resolver; unset names none. */
  dns?: string;
  /** Single addresses that it routes to itself (classless static routes, RFC 3442). */
  routed?: string[];
}

/** Answers a question with a lease, for an hour. */
export function dhcpReply(question: Buffer, type: "offer" | "ack", lease: Lease): Buffer {
  const message = Buffer.alloc(240);
  message.set([2, 1, 6, 0]);
  // Its number, its flags and its MAC go back as they came.
  for (const [from, to] of [
    [4, 8],
    [10, 12],
    [28, 44],
  ] as const)
    question.copy(message, from, from, to);
  message.set(ipBytes(lease.address), 16);
  message.writeUInt32BE(MAGIC, 236);
  const option = (code: number, value: Uint8Array) => Buffer.from([code, value.length, ...value]);
  const named = (code: number, ip: string | undefined) => (ip ? [option(code, ipBytes(ip))] : []);
  const routes = (lease.routed ?? []).flatMap((ip) => [32, ...ipBytes(ip), ...ipBytes(lease.server)]);
  const time = Buffer.alloc(4);
  time.writeUInt32BE(3600);
  return Buffer.concat([
    message,
    option(OPTION.type, Buffer.from([NUMBERS[type]])),
    ...named(OPTION.server, lease.server),
    ...named(OPTION.router, lease.router),
    ...named(OPTION.dns, lease.dns),
    ...named(OPTION.netmask, lease.netmask),
    ...(routes.length > 0 ? [option(OPTION.routes, Buffer.from(routes))] : []),
    option(OPTION.leaseTime, time),
    Buffer.from([255]),
  ]);
}
