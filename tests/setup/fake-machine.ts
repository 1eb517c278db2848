import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { makeContext, type Context } from "../../tools/setup/context.cjs";
import { which } from "../../tools/setup/process.cjs";

/** What fakes and set-up need of a real machine; none of it changes one. */
export const PLAIN = ["sh", "env", "cat", "chmod", "cp", "dirname", "mkdir", "readlink", "touch"].concat([
  "curl",
  "tar",
  "gzip",
  "busybox",
  "setpriv",
]);
/** What a test that forgot its own fake must never reach on the real machine. */
const REFUSED = ["apt-get", "dpkg", "dpkg-deb", "npm", "python3", "go"];

/** A machine for set-up: programs, a cache, a checkout and makers' servers, all of them made by a test. */
export class FakeMachine {
  /** Its name has what people have in theirs. */
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "bootstrap pxe & sät-up-")));
  readonly said: string[] = [];
  readonly requests: string[] = [];
  private server?: Server;
  private readonly files: Record<string, Buffer> = {};
  private readonly routes: Record<string, RequestListener> = {};

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

  /** A program that notes each run, for `ran`. */
  recorded(name: string, script: string): string {
    return this.program(name, `echo "${name} $*" >> '${this.path("ran")}'\n${script}`);
  }

  /** The commands that recorded programs were run by, in order. */
  ran(): string[] {
    const lines = existsSync(this.path("ran")) ? readFileSync(this.path("ran"), "utf8") : "";
    return lines.split("\n").filter(Boolean);
  }

  /** What a maker's server answers for a path. */
  publish(path: string, content: string | Buffer): void {
    this.files[path] = Buffer.from(content);
  }

  /**
   * An apt that plans and downloads the wanted packages, and a dpkg-deb that unpacks a program from each of a checker.
   *
   * @param program what the program does, as words for printf; `$name` is its own
   * @param options layout: the folder that it is in; also: packages that apt plans besides
   */
  checkerPackages(program: string, { layout = "usr/sbin", also = [] as string[] } = {}): void {
    this.recorded(
      "apt-get",
      `case "$*" in
*--simulate*) for name in "$@" ${also.join(" ")}; do case "$name" in -*|install) ;; *) echo "Inst $name (1 x)";; esac; done;;
*download*) for name in "$@"; do case "$name" in -*|*=*|download) ;; *) touch "$name.deb";; esac; done;;
esac`,
    );
    this.recorded(
      "dpkg-deb",
      `folder=${layout}
case "$2" in */docker-registry.deb) name=docker-registry; folder=usr/bin;; */dnsmasq-base.deb) name=dnsmasq;; */chrony.deb) name=chronyd;; */nginx.deb) name=nginx;; *) exit 0;; esac
mkdir -p "$3/$folder"
{ echo '#!/bin/sh'; printf ${program}; } > "$3/$folder/$name"
chmod +x "$3/$folder/$name"`,
    );
  }

  /** How a maker's server answers for a path, where that is more than a file. */
  answer(path: string, route: RequestListener): void {
    this.routes[path] = route;
  }

  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      const route = this.routes[request.url ?? ""];
      if (route) return route(request, response);
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
      osRelease: this.write("os-release", 'ID=debian\nVERSION_ID="12"\n'),
      origins: { pulumi: origin, hashicorp: origin, github: origin },
      log: (line) => this.said.push(line),
      ...more,
    });
  }

  /** As `context`, but with nothing at all of the real machine: programs that would change it only refuse. */
  bare(origin: string, more: Partial<Context> = {}): Context {
    mkdirSync(this.path("plain"), { recursive: true });
    for (const name of PLAIN.filter((name) => !existsSync(this.path("plain", name)))) {
      const real = which(name, (process.env.PATH ?? "").split(":"));
      if (real) symlinkSync(real, this.path("plain", name));
    }
    for (const name of REFUSED.filter((name) => !existsSync(this.path("programs", name)))) {
      this.recorded(name, `echo "${name} is out of order" >&2; exit 1`);
    }
    this.program("sudo", '[ "$1" = --non-interactive ] && shift; exec "$@"');
    const PATH = [this.path("programs"), this.path("plain")].join(":");
    return this.context(origin, { env: { PATH, HOME: this.path("home"), no_proxy: "*" }, ...more });
  }

  async remove(): Promise<void> {
    await new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve(undefined)));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A zip archive of one file. */
export function zipOf(name: string, content: string): Buffer {
  // Gzip's stream and check sum are those that zip wants.
  const gz = gzipSync(content);
  const [data, sum] = [gz.subarray(10, -8), gz.subarray(-8, -4)];
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(8, 4);
  sum.copy(common, 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), data]);
  const entry = Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), common, Buffer.alloc(14), Buffer.from(name)]);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}

/** A port of this machine on which nothing listens. */
export const NOWHERE = "http://127.0.0.1:9";
