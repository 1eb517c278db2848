import { setTimeout as pause } from "node:timers/promises";
import { lostOf } from "../slowness";
import { discover } from "./dhcp";
import type { Link } from "./link";
import {
  ACK,
  arpReply,
  arpRequest,
  BROADCAST,
  decode,
  RST,
  SYN,
  tcpFrame,
  udpFrame,
  type Packet,
} from "./packets";

/**
 * No two questions share a port: an answer that goes astray is not taken for another's. Below those that Linux hands
 * out by itself (ip(7), ip_local_port_range: 32768 and up), which the mini-PC asks from.
 */
let lastPort = 20000;

/** How long somebody waits for an answer. */
export interface Patience {
  signal: AbortSignal;
  /** How long the machines had no CPU so far, in milliseconds: a busy host is not their fault. */
  lostMs?: () => number;
}

/**
 * Waits until something is found, or for the limit, of the time that the machines could use.
 *
 * @throws the reason of `signal` when that is aborted: who was stopped has found nothing
 */
export async function until<T>(
  { signal, lostMs = () => 0 }: Patience,
  find: () => T | undefined,
  limitMs: number,
): Promise<T | undefined> {
  const before = lostMs();
  for (let waited = 0; ; waited += 20) {
    signal.throwIfAborted();
    const found = find();
    if (found !== undefined) return found;
    if (waited >= limitMs && waited - lostOf(waited, lostMs() - before) >= limitMs) return undefined;
    await pause(20);
  }
}

/** Questions before somebody is taken not to answer, and milliseconds that each is given. */
const [TRIES, ANSWER_MS] = [5, 1000];

/** Asks until all is answered, a few times. An answer to an earlier question counts: on a slow host it may come after the next. */
export async function askAgain(
  patience: Patience,
  ask: () => void,
  isAnswered: () => boolean,
): Promise<boolean> {
  for (let tries = 0; tries < TRIES && !isAnswered(); tries++) {
    ask();
    await until(patience, () => isAnswered() || undefined, ANSWER_MS);
  }
  return isAnswered();
}

/** A host on a link: one MAC, one address, and the few packets that ask a service whether it answers. */
export class Station {
  /** What its neighbour sent to it: to its own MAC, to all, or in answer to it under another's. */
  readonly heard: Packet[] = [];
  /** ARP answers that it had. */
  private found = 0;
  /** Ports that it asked from. */
  private readonly ports = new Set<number | undefined>();

  constructor(
    private readonly patience: Patience,
    private readonly link: Pick<Link, "send" | "onFrame">,
    readonly mac: string,
    readonly ip: string,
    /** MAC that its packets go to; ARP finds it too. */
    private neighbour = BROADCAST,
  ) {
    link.onFrame((frame) => this.take(decode(frame)));
  }

  private take(packet: Packet): void {
    const { arp, source, destination } = packet;
    if (source === this.mac) return;
    if (arp?.target === this.ip) {
      this.neighbour = arp.mac;
      if (arp.operation === 2) this.found++;
      if (arp.operation === 1) this.link.send(arpReply({ ...this.route(arp.ip), toMac: arp.mac }));
    }
    const fromOther = this.neighbour !== BROADCAST && source !== this.neighbour;
    const isAnswer = this.ports.has((packet.udp ?? packet.tcp)?.to);
    if (!fromOther && (isAnswer || destination === this.mac || destination === BROADCAST))
      this.heard.push(packet);
  }

  private route(to: string) {
    return { fromMac: this.mac, toMac: this.neighbour, from: this.ip, to };
  }

  /**
   * Finds by ARP where an address is. A neighbour that answers has taken in all that was sent before, in order, and
   * knows where to send its own answers.
   *
   * @returns whether somebody has it
   */
  async meet(ip: string): Promise<boolean> {
    const before = this.found;
    const ask = () => this.link.send(arpRequest(this.mac, this.ip, ip));
    return askAgain(this.patience, ask, () => this.found > before);
  }

  private takePort(): number {
    this.ports.add(++lastPort);
    return lastPort;
  }

  /** Sends a datagram from a new port, which it returns. */
  udp(to: string, port: number, payload: Buffer): number {
    const own = this.takePort();
    this.link.send(udpFrame(this.route(to), own, port, payload));
    return own;
  }

  /** Asks for a TCP connection from a new port, which it returns; an open port answers SYN and ACK. */
  syn(to: string, port: number): number {
    const own = this.takePort();
    const head = { fromPort: own, toPort: port, sequence: 1, acknowledged: 0, flags: SYN };
    this.link.send(tcpFrame(this.route(to), head));
    return own;
  }

  /** Asks for a file by HTTP. @returns the status; undefined when nothing was answered within `limitMs` */
  async get(to: string, path: string, limitMs = 5000): Promise<number | undefined> {
    const own = this.syn(to, 80);
    const answered = (wanted: (tcp: NonNullable<Packet["tcp"]>) => boolean) =>
      until(this.patience, () => this.heard.find(({ tcp }) => tcp?.to === own && wanted(tcp))?.tcp, limitMs);
    const accepted = await answered(({ flags }) => (flags & (SYN | ACK)) === (SYN | ACK));
    if (!accepted) return undefined;
    const head = { fromPort: own, toPort: 80, sequence: 2, acknowledged: (accepted.sequence + 1) >>> 0 };
    const question = Buffer.from(`GET ${path} HTTP/1.0\r\n\r\n`);
    this.link.send(tcpFrame(this.route(to), { ...head, flags: ACK }, question));
    const answer = await answered(({ payload }) => payload.length > 0);
    this.link.send(tcpFrame(this.route(to), { ...head, sequence: 2 + question.length, flags: RST }));
    const status = /^HTTP\/1\.\d (\d{3})/.exec(answer?.payload.toString("latin1") ?? "")?.[1];
    return status === undefined ? undefined : Number(status);
  }

  /** Asks for an address as a UEFI firmware does. */
  discover(): void {
    const route = { fromMac: this.mac, toMac: BROADCAST, from: "0.0.0.0", to: "255.255.255.255" };
    this.link.send(udpFrame(route, 68, 67, discover(this.mac)));
  }
}
