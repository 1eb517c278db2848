import { createHash, type Hash } from "node:crypto";
import { REGISTRY_PORT } from "../../stack/ports";
import { FIN, RST, SYN, ACK, type Packet } from "./packets";
import type { HttpWhat } from "./seen";

const HEAD_END = "\r\n\r\n";

/** Puts the segments of one direction back in order; each byte is delivered once. */
class Order {
  private next: number | undefined;
  private readonly early = new Map<number, Buffer>();

  constructor(private readonly deliver: (bytes: Buffer) => void) {}

  start(sequence: number): void {
    this.next = (sequence + 1) >>> 0;
  }

  take(sequence: number, bytes: Buffer): void {
    if (this.next === undefined || bytes.length === 0) return;
    // Sequence numbers wrap: their difference, as a signed number of 32 bits, tells before from after.
    const ahead = (sequence - this.next) | 0;
    if (ahead > 0) {
      this.early.set(sequence, Buffer.from(bytes));
      return;
    }
    const fresh = bytes.subarray(-ahead);
    if (fresh.length === 0) return;
    this.next = (this.next + fresh.length) >>> 0;
    this.deliver(fresh);
    for (const [start, waiting] of this.early) {
      if (((start - this.next) | 0) > 0) continue;
      this.early.delete(start);
      this.take(start, waiting);
    }
  }
}

interface Body {
  path: string;
  status: number;
  left: number;
  bytes: number;
  hash: Hash;
}

/** One connection to a web server: what was asked and answered on it (RFC 9112). A body is hashed, not kept. */
export class HttpConnection {
  private readonly asked: { path: string; isHead: boolean }[] = [];
  private readonly requests = new Order((bytes) => this.takeRequest(bytes));
  private readonly responses = new Order((bytes) => this.takeResponse(bytes));
  private requestHead = "";
  private responseHead = "";
  private body: Body | undefined;
  private said: HttpWhat[] = [];

  private readonly kind: "http" | "registry";

  /**
   * @param mac of the client
   * @param port of the server
   */
  constructor(
    private readonly mac: string,
    private readonly port: number,
  ) {
    this.kind = port === REGISTRY_PORT ? "registry" : "http";
  }

  /** @returns what a segment from the client, or to it, made known */
  take({ flags, sequence, payload }: NonNullable<Packet["tcp"]>, fromClient: boolean): HttpWhat[] {
    this.said = [];
    const direction = fromClient ? this.requests : this.responses;
    if (flags & SYN) {
      direction.start(sequence);
      this.said.push({
        mac: this.mac,
        kind: "connect",
        port: this.port,
        state: flags & ACK ? "accepted" : "asked",
      });
    } else if (flags & RST && !fromClient) {
      this.said.push({ mac: this.mac, kind: "connect", port: this.port, state: "refused" });
    }
    direction.take(sequence, payload);
    if (flags & FIN && !fromClient) this.endBody();
    return this.said;
  }

  private takeRequest(bytes: Buffer): void {
    this.requestHead += bytes.toString("latin1");
    const end = this.requestHead.indexOf(HEAD_END);
    if (end < 0) return;
    const [method, path = ""] = this.requestHead.split(" ", 2);
    this.requestHead = this.requestHead.slice(end + HEAD_END.length);
    this.asked.push({ path, isHead: method === "HEAD" });
    this.said.push({ mac: this.mac, kind: this.kind, path, state: "asked" });
  }

  private takeResponse(bytes: Buffer): void {
    if (this.body) return this.takeBody(bytes);
    const before = this.responseHead.length;
    this.responseHead += bytes.toString("latin1");
    const end = this.responseHead.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.responseHead.slice(0, end);
    this.responseHead = "";
    const status = Number(/^HTTP\/\d\.\d (\d{3})/.exec(head)?.[1]);
    const { path = "", isHead = false } = this.asked.shift() ?? {};
    this.said.push({ mac: this.mac, kind: this.kind, path, state: "answered", status });
    const hasNone = isHead || status === 204 || status === 304;
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    const left = hasNone ? 0 : Number(length ?? Infinity);
    this.body = { path, status, left, bytes: 0, hash: createHash("sha256") };
    this.takeBody(bytes.subarray(end + HEAD_END.length - before));
  }

  private takeBody(bytes: Buffer): void {
    const body = this.body as Body;
    const own = bytes.subarray(0, Math.min(bytes.length, body.left));
    body.hash.update(own);
    body.bytes += own.length;
    body.left -= own.length;
    if (body.left > 0) return;
    this.endBody();
    if (own.length < bytes.length) this.takeResponse(bytes.subarray(own.length));
  }

  private endBody(): void {
    if (!this.body || (this.body.left > 0 && this.body.left !== Infinity)) return;
    const { path, status, bytes, hash } = this.body;
    this.body = undefined;
    this.said.push({
      mac: this.mac,
      kind: this.kind,
      path,
      state: "sent",
      status,
      bytes,
      sha256: hash.digest("hex"),
    });
  }
}
