import { readDhcp } from "../../rehearsal/network/dhcp";
import type { Link } from "../../rehearsal/network/link";
import { decode } from "../../rehearsal/network/packets";

const [USER_CLASS, IPXE] = [77, 175];
/** Options for private use (RFC 3942), which nobody reads. */
const [UNREAD_USER_CLASS, UNREAD_IPXE] = [224, 225];
/** In an Ethernet frame with an IPv4 header of 20 bytes: UDP's checksum, and DHCP's first option. */
const [CHECKSUM_AT, OPTIONS_AT] = [14 + 20 + 6, 14 + 20 + 8 + 240];

/**
 * The question of a NIC's ROM that is iPXE as a PXE ROM of another maker would ask it: QEMU has no other for a BIOS.
 * The same frame where it is no DHCP message.
 */
export function asOtherFirmware(frame: Buffer): Buffer {
  const { udp } = decode(frame);
  if (udp?.to !== 67 || !readDhcp(udp.payload)) return frame;
  const changed = Buffer.from(frame);
  // None (RFC 768).
  changed.writeUInt16BE(0, CHECKSUM_AT);
  for (let at = OPTIONS_AT; at < changed.length && changed[at] !== 255;) {
    if (changed[at] === USER_CLASS) changed[at] = UNREAD_USER_CLASS;
    if (changed[at] === IPXE) changed[at] = UNREAD_IPXE;
    at += changed[at] === 0 ? 1 : 2 + (changed[at + 1] ?? 0);
  }
  return changed;
}

/** A switch between a mini-PC and the isolated link. */
export class BlockingPort {
  /** Questions of iPXE that it dropped. */
  dropped = 0;
  /** Not before then it lets frames through again, by Date.now(). */
  private opensAt?: number;

  /**
   * @param isIpxe whether what asks now is the iPXE that the appliance handed over; its first question starts the block
   * @param blocksMs how long nothing goes through from then on, as while a spanning tree listens and learns (IEEE 802.1D)
   * @param isNoticed whether the appliance has noticed it: until then the port blocks on, since on a busy host that may be late
   */
  constructor(
    private readonly isolated: Link,
    minipc: Link,
    private readonly mac: string,
    private readonly isIpxe: () => boolean,
    private readonly blocksMs: number,
    private readonly isNoticed: () => boolean,
  ) {
    minipc.onFrame((frame) => this.fromMinipc(frame));
    isolated.onFrame((frame) => {
      if (decode(frame).source !== mac && !this.isBlocked) minipc.send(frame);
    });
  }

  private get isBlocked(): boolean {
    return this.opensAt !== undefined && (Date.now() < this.opensAt || !this.isNoticed());
  }

  private fromMinipc(frame: Buffer): void {
    const { source, udp } = decode(frame);
    if (source !== this.mac) return;
    if (!this.isIpxe()) return this.isolated.send(asOtherFirmware(frame));
    const asked = udp?.to === 67 ? readDhcp(udp.payload)?.type === "discover" : false;
    if (asked) this.opensAt ??= Date.now() + this.blocksMs;
    if (!this.isBlocked) return this.isolated.send(frame);
    if (asked) this.dropped++;
  }
}
