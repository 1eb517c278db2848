import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

/** An HTTP proxy on loopback that takes each CONNECT to one port of this machine, whatever name it is for. */
export class ConnectProxy {
  /** What clients wanted to be connected to, in order. */
  readonly asked: string[] = [];

  private constructor(private readonly server: Server) {}

  /** @param status what it answers to a CONNECT; but for 200, it connects nothing */
  static async start(port: number, status = 200): Promise<ConnectProxy> {
    const server = createServer((_request, response) => response.writeHead(501).end());
    const proxy = new ConnectProxy(server);
    server.on("connect", ({ url }, client: Socket, head: Buffer) => {
      proxy.asked.push(String(url));
      if (status !== 200) return client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      const upstream = connect(port, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 Connected\r\n\r\n");
        upstream.write(head);
        upstream.pipe(client).pipe(upstream);
      });
      for (const socket of [client, upstream]) {
        socket.on("error", () => undefined);
        socket.on("close", () => [client, upstream].forEach((end) => end.destroy()));
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
