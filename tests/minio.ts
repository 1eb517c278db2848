import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import execa, { type ExecaChildProcess } from "execa";
import { toolEnvironment } from "./tools";

// Keys of a server that lives as long as its test; neither is a part of the other, nor of any other text.
const USER = "key-for-one-test";
const PASSWORD = "sesame-0f2c81d7";

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}

/** A MinIO on loopback, with what it keeps in a folder of its own. */
export class Minio {
  private server: ExecaChildProcess | undefined;

  private constructor(
    readonly folder: string,
    readonly port: number,
  ) {}

  /** @param buckets that are there from the start */
  static async start(...buckets: string[]): Promise<Minio> {
    const minio = new Minio(mkdtempSync(join(tmpdir(), "minio-")), await freePort());
    await minio.run();
    for (const bucket of buckets) await minio.curl("PUT", bucket);
    return minio;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get origin(): string {
    return `http://${this.address}`;
  }

  /** Its keys, by the names of AWS. */
  get keys() {
    return { AWS_ACCESS_KEY_ID: USER, AWS_SECRET_ACCESS_KEY: PASSWORD };
  }

  /** Runs the server, again after `kill`, and waits until it serves. */
  async run(): Promise<void> {
    const args = ["server", this.folder, "--address", this.address, "--console-address", "127.0.0.1:0"];
    const server = execa("minio", args, {
      env: {
        ...toolEnvironment,
        HOME: this.folder,
        MINIO_ROOT_USER: USER,
        MINIO_ROOT_PASSWORD: PASSWORD,
        MINIO_BROWSER: "off",
        MINIO_UPDATE: "off",
      },
      all: true,
      reject: false,
    });
    this.server = server;
    for (let tries = 0; tries < 600; tries++) {
      const answer = await fetch(`${this.origin}/minio/health/ready`).catch(() => undefined);
      if (answer?.ok) return;
      if (server.exitCode !== null) throw new Error(`minio ended: ${(await server).all}`);
      await pause(100);
    }
    throw new Error("minio: not ready within a minute");
  }

  /** Ends the server at once. */
  async kill(): Promise<void> {
    this.server?.kill("SIGKILL");
    await this.server;
  }

  /** A signed request. @param path bucket, and key behind it */
  async curl(method: string, path: string, ...flags: string[]): Promise<string> {
    const signing = ["--aws-sigv4", "aws:amz:us-east-1:s3", "-u", `${USER}:${PASSWORD}`];
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
