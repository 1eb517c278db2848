import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { LinkName } from "../record";

/** Hears every frame on a link, whoever sent it. */
type Listener = (frame: Buffer) => void;

/**
 * An Ethernet link between QEMU machines, held by this process: a switch on a unix socket, so that no address of
 * this host and no privilege is used. QEMU's stream netdev puts the length of each frame in four bytes before it
 * (QEMU, net/stream.c).
 */
export class Link {
  private readonly server: Server;
  private readonly ports = new Set<Socket>();
  private readonly listeners: Listener[] = [];

  /** @param path of the socket; at most 107 bytes (unix(7)) */
  constructor(
    readonly name: LinkName,
    readonly path: string,
  ) {
    this.server = createServer((port) => this.attach(port));
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      this.server.listen(this.path, resolve);
    });
    return this;
  }

  private attach(port: Socket): void {
    this.ports.add(port);
    // A machine that ends closes its socket in the middle of a frame.
    port.on("error", () => undefined);
    port.on("close", () => this.ports.delete(port));
    let pending: Buffer = Buffer.alloc(0);
    port.on("data", (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      let end = 0;
      while (pending.length >= end + 4 && pending.length >= end + 4 + pending.readUInt32BE(end)) {
        const next = end + 4 + pending.readUInt32BE(end);
        for (const hear of this.listeners) hear(pending.subarray(end + 4, next));
        end = next;
      }
      if (end === 0) return;
      for (const other of this.ports) if (other !== port) other.write(pending.subarray(0, end));
      pending = pending.subarray(end);
    });
  }

  /** Sends a frame to every machine, as a host on the link would. */
  send(frame: Buffer): void {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    for (const hear of this.listeners) hear(frame);
    for (const port of this.ports) port.write(Buffer.concat([length, frame]));
  }

  onFrame(hear: Listener): void {
    this.listeners.push(hear);
  }

  async close(): Promise<void> {
    this.listeners.length = 0;
    for (const port of this.ports) port.destroy();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.path, { force: true });
  }
}
