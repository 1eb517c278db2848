import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** A TCP proxy on loopback that hands on what a client sends at a bounded rate. */
export class ThrottledProxy {
  private readonly sockets = new Set<Socket>();
  /** Bytes that clients sent so far. */
  passed = 0;
  private released: Promise<void> = Promise.resolve();
  private isAway = false;
  /** Has it hand on again. */
  release: () => void = () => undefined;

  private constructor(
    private readonly server: Server,
    private readonly bytesPerSecond: number,
  ) {}

  static async start(port: number, bytesPerSecond: number): Promise<ThrottledProxy> {
    const server = createServer();
    const proxy = new ThrottledProxy(server, bytesPerSecond);
    server.on("connection", (client) =>
      proxy.isAway ? client.destroy() : void proxy.carry(client, connect(port, "127.0.0.1")),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Has it neither take nor answer anything until it is released. */
  hold(): void {
    this.released = new Promise((resolve) => (this.release = resolve));
  }

  /** Breaks every connection, and any new one, until {@link comeBack}: as when the server behind it dies. */
  goAway(): void {
    this.isAway = true;
    for (const socket of this.sockets) socket.destroy();
  }

  comeBack(): void {
    this.isAway = false;
  }

  private async carry(client: Socket, upstream: Socket): Promise<void> {
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.pipe(client);
    try {
      for await (const chunk of client as AsyncIterable<Buffer>) {
        await this.released;
        this.passed += chunk.length;
        if (!upstream.write(chunk)) await Promise.race([once(upstream, "drain"), once(upstream, "close")]);
        await pause((1000 * chunk.length) / this.bytesPerSecond);
      }
    } catch {
      client.destroy();
    }
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}
