import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import execa, { type ExecaChildProcess } from "execa";
import { toolEnvironment } from "./tools";

// Keys of a server that lives as long as its test; none is a part of another, nor of any other text.
const OWNER = { AWS_ACCESS_KEY_ID: "key-for-one-test", AWS_SECRET_ACCESS_KEY: "sesame-0f2c81d7" };
/** A key that may list and read, and nothing else. */
export const READER = { AWS_ACCESS_KEY_ID: "key-that-may-look", AWS_SECRET_ACCESS_KEY: "barley-93b6e4a5" };

const PARTS = ["master", "volume", "filer", "s3"] as const;
type Part = (typeof PARTS)[number];
type Ports = Record<Part, { http: number; grpc: number }>;

const PORT_TRIES = 5;
/** Below those that the kernel hands out to clients (ip_local_port_range), which would take a port that is free now. */
const [FIRST_PORT, LAST_PORT] = [15_000, 32_000];

/** As many ports as asked for that nothing listens on; all are held until the last is found, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  for (let tries = 0; held.length < count && tries < 1000; tries++) {
    const probe = createServer();
    probe.listen(randomInt(FIRST_PORT, LAST_PORT), "127.0.0.1");
    await once(probe, "listening").then(
      () => held.push(probe),
      () => undefined,
    );
  }
  const ports = held.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(held.map((probe) => once(probe.close(), "close")));
  return ports;
}

async function choosePorts(): Promise<Ports> {
  const ports = await freePorts(2 * PARTS.length);
  const pairs = PARTS.map((part, index) => [part, { http: ports[2 * index], grpc: ports[2 * index + 1] }]);
  return Object.fromEntries(pairs) as Ports;
}

/** A SeaweedFS on loopback, with what it keeps in a folder of its own. */
export class S3Server {
  private server: ExecaChildProcess | undefined;

  private constructor(
    private readonly folder: string,
    private readonly ports: Ports,
  ) {}

  /** @param buckets that are there from the start */
  static async start(...buckets: string[]): Promise<S3Server> {
    for (let tries = 1; ; tries++) {
      const server = new S3Server(mkdtempSync(join(tmpdir(), "s3-server-")), await choosePorts());
      try {
        await server.run();
        for (const bucket of buckets) await server.curl("PUT", bucket);
        return server;
      } catch (fault) {
        await server.remove();
        // Another test's server may have taken a port meanwhile.
        if (tries === PORT_TRIES) throw fault;
      }
    }
  }

  get port(): number {
    return this.ports.s3.http;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get origin(): string {
    return `http://${this.address}`;
  }

  /** A key that may do everything, by the names of AWS. */
  readonly keys = OWNER;

  /** Runs the server, and waits until it serves. */
  private async run(): Promise<void> {
    const identities = [
      { name: "owner", keys: OWNER, actions: ["Admin", "Read", "List", "Tagging", "Write"] },
      { name: "reader", keys: READER, actions: ["Read", "List"] },
    ].map(({ name, keys, actions }) => ({
      ...{ name, actions },
      credentials: [{ accessKey: keys.AWS_ACCESS_KEY_ID, secretKey: keys.AWS_SECRET_ACCESS_KEY }],
    }));
    const config = join(this.folder, "s3.json");
    writeFileSync(config, JSON.stringify({ identities }), { mode: 0o600 });
    const flags = {
      dir: this.folder,
      ip: "127.0.0.1",
      "ip.bind": "127.0.0.1",
      "master.telemetry": false,
      "master.volumeSizeLimitMB": 1024,
      "volume.preStopSeconds": 0,
      // A bucket takes seven volumes when it is made, and the server's own default is eight for all.
      "volume.max": 100,
      filer: true,
      "filer.localSocket": join(this.folder, "filer.sock"),
      s3: true,
      "s3.config": config,
      "s3.localSocket": join(this.folder, "s3.sock"),
      // As AWS has it: a bucket is made before it is used, and a key comes from the file alone.
      "s3.autoCreateBucket": false,
      "s3.iam": false,
      "s3.port.iceberg": 0,
      "s3.port.lance": 0,
      ...Object.fromEntries(
        PARTS.flatMap((part) => [
          [`${part}.port`, this.ports[part].http],
          [`${part}.port.grpc`, this.ports[part].grpc],
        ]),
      ),
    };
    const args = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
    const server = execa("weed", ["-logtostderr=true", "server", ...args], {
      env: { ...toolEnvironment, HOME: this.folder },
      all: true,
      reject: false,
    });
    this.server = server;
    for (let tries = 0; tries < 6000; tries++) {
      const isReady = (await this.answers()) && (await this.hasRoom());
      if (server.exitCode !== null) throw new Error(`weed ended: ${(await server).all}`);
      if (isReady) return;
      await pause(100);
    }
    throw new Error("weed: not ready within ten minutes");
  }

  private async answers(): Promise<boolean> {
    const answer = await fetch(`${this.origin}/healthz`).catch(() => undefined);
    return answer?.ok ?? false;
  }

  /** Whether the part that keeps the objects has told the master of itself: until then an upload is refused. */
  private async hasRoom(): Promise<boolean> {
    const answer = await fetch(`http://127.0.0.1:${this.ports.master.http}/dir/status`).catch(
      () => undefined,
    );
    const { Topology } = ((await answer?.json().catch(() => undefined)) ?? {}) as {
      Topology?: { Free?: number };
    };
    return (Topology?.Free ?? 0) > 0;
  }

  /** Ends the server at once. */
  async kill(): Promise<void> {
    this.server?.kill("SIGKILL");
    await this.server;
    // It makes these whatever its flags say, and leaves them when it is killed.
    for (const part of PARTS)
      rmSync(`/tmp/seaweedfs-${part}-grpc-${this.ports[part].grpc}.sock`, { force: true });
  }

  /** A signed request. @param path bucket, and key behind it */
  async curl(method: string, path: string, ...flags: string[]): Promise<string> {
    const user = `${OWNER.AWS_ACCESS_KEY_ID}:${OWNER.AWS_SECRET_ACCESS_KEY}`;
    const signing = ["--aws-sigv4", "aws:amz:us-east-1:s3", "-u", user];
    const { stdout } = await execa("curl", [
      "-fsS",
      "-X",
      method,
      ...signing,
      ...flags,
      `${this.origin}/${path}`,
    ]);
    return stdout;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
