import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { makeContext, type Context } from "../../tools/setup/context.cjs";

/** A machine for set-up: programs, a cache, a checkout and makers' servers, all of them made by a test. */
export class FakeMachine {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "bootstrap-pxe-setup-")));
  readonly said: string[] = [];
  readonly requests: string[] = [];
  private server?: Server;
  private readonly files: Record<string, Buffer> = {};

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(name: string, text: string): string {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  /** A program on the machine's PATH: a shell script. */
  program(name: string, script: string): string {
    const path = this.write(`programs/${name}`, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** What a maker's server answers for a path. */
  publish(path: string, content: string): void {
    this.files[path] = Buffer.from(content);
  }

  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      const file = this.files[request.url ?? ""];
      response.writeHead(file || request.url === "/" ? 200 : 404).end(file);
    });
    await new Promise<void>((resolve) => this.server?.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A context of set-up in which nothing of the real machine's own tools is found but the shell's. */
  context(origin: string, more: Partial<Context> = {}): Context {
    mkdirSync(this.path("top"), { recursive: true });
    return makeContext({
      env: {
        PATH: [this.path("programs"), "/usr/bin", "/bin"].join(":"),
        HOME: this.path("home"),
        no_proxy: "*",
      },
      top: this.path("top"),
      cache: this.path("cache"),
      origins: { pulumi: origin, hashicorp: origin, github: origin },
      log: (line) => this.said.push(line),
      ...more,
    });
  }

  async remove(): Promise<void> {
    await new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve(undefined)));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const sha256Of = (text: string) => createHash("sha256").update(text).digest("hex");

/** A port of this machine on which nothing listens. */
export const NOWHERE = "http://127.0.0.1:9";
