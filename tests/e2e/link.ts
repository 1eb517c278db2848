import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";

/**
 * An Ethernet link whose other end is the test itself: QEMU's stream netdev sends each frame behind its length in
 * four bytes (QEMU, net/stream.c), over a unix socket, so no address of this host is used.
 */
export class Link {
  /** What QEMU's -netdev takes. */
  readonly netdev: string;
  private readonly server: Server;
  private machine?: Socket;
  private listeners: ((frame: Buffer) => void)[] = [];

  constructor(private readonly path: string) {
    this.netdev = `stream,server=off,addr.type=unix,addr.path=${path}`;
    this.server = createServer((socket) => this.accept(socket));
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(this.path, resolve));
    return this;
  }

  private accept(socket: Socket): void {
    this.machine = socket;
    socket.on("error", () => undefined);
    let pending = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
        const end = 4 + pending.readUInt32BE(0);
        const frame = pending.subarray(4, end);
        pending = pending.subarray(end);
        for (const listen of this.listeners) listen(frame);
      }
    });
  }

  send(frame: Buffer): void {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    this.machine?.write(Buffer.concat([length, frame]));
  }

  onFrame(listen: (frame: Buffer) => void): void {
    this.listeners.push(listen);
  }

  async close(): Promise<void> {
    this.listeners = [];
    this.machine?.destroy();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.path, { force: true });
  }
}
