import { createWriteStream, type WriteStream } from "node:fs";
import { decode } from "./packets";
import type { Link } from "./link";

/** TFTP's data and what else is bulky is cut to this; what DHCP, DNS and time say fits in it. */
const BULK_BYTES = 96;
const WHOLE_PORTS = [53, 67, 68, 123];
/** IANA's number for Ethernet in a capture, and the magic of the form with microseconds. */
const [ETHERNET, MICROSECONDS] = [1, 0xa1b2c3d4];
const SNAP_LENGTH = 65535;

/**
 * How much of a frame a capture keeps. Of TCP that is the heads, its own and HTTP's, and never a body: the
 * machine config goes over this link.
 */
export function keptBytes(frame: Buffer): number {
  const { udp, tcp } = decode(frame);
  if (tcp) {
    const heads = frame.length - tcp.payload.length;
    const text = tcp.payload.toString("latin1");
    const isHead = /^(GET|HEAD) \/\S* HTTP\/1\.\d\r\n|^HTTP\/1\.\d \d{3} /.test(text);
    const end = text.indexOf("\r\n\r\n");
    return isHead && end >= 0 ? heads + end + 4 : heads;
  }
  const isWhole = udp && [udp.from, udp.to].some((port) => WHOLE_PORTS.includes(port));
  return isWhole ? frame.length : Math.min(frame.length, BULK_BYTES);
}

/** Writes what goes over a link to a file in the classic pcap form (draft-ietf-opsawg-pcap), without secrets. */
export class Capture {
  private readonly file: WriteStream;

  /** @param onFault hears of a file that cannot be written */
  constructor(link: Link, path: string, onFault: (fault: Error) => void) {
    this.file = createWriteStream(path).on("error", onFault);
    const head = Buffer.alloc(24);
    head.writeUInt32LE(MICROSECONDS, 0);
    head.writeUInt16LE(2, 4);
    head.writeUInt16LE(4, 6);
    head.writeUInt32LE(SNAP_LENGTH, 16);
    head.writeUInt32LE(ETHERNET, 20);
    this.file.write(head);
    link.onFrame((frame) => this.write(frame));
  }

  private write(frame: Buffer): void {
    const [kept, now] = [keptBytes(frame), Date.now()];
    const record = Buffer.alloc(16 + kept);
    record.writeUInt32LE(Math.floor(now / 1000), 0);
    record.writeUInt32LE((now % 1000) * 1000, 4);
    record.writeUInt32LE(kept, 8);
    record.writeUInt32LE(frame.length, 12);
    frame.copy(record, 16, 0, kept);
    this.file.write(record);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.file.end(resolve));
  }
}
