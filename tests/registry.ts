import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";
import execa from "execa";
import tar from "tar-stream";
import { digestOf } from "../steps/registry/manifest";
import { tool, toolEnvironment } from "./tools";

/** A registry that is up, and how it ends. */
export interface Registry {
  /** 127.0.0.1 with its port. */
  address: string;
  stop: () => Promise<unknown>;
}

/**
 * Starts docker-registry on a free port of loopback.
 *
 * @param store folder of its files
 * @param readOnly whether it refuses whatever would change one
 */
export async function startRegistry(store: string, readOnly = false): Promise<Registry> {
  mkdirSync(store, { recursive: true });
  const config = join(store, "..", `registry-${process.hrtime.bigint()}.json`);
  const maintenance = { uploadpurging: { enabled: false }, ...(readOnly && { readonly: { enabled: true } }) };
  const storage = { filesystem: { rootdirectory: store }, maintenance };
  writeFileSync(config, JSON.stringify({ version: 0.1, storage, http: { addr: "127.0.0.1:0" } }));
  const child = execa("docker-registry", ["serve", config], {
    env: toolEnvironment,
    buffer: false,
    reject: false,
    stdout: "ignore",
  });
  const address = await new Promise<string>((found, failed) => {
    createInterface({ input: child.stderr! }).on("line", (line) => {
      const [, listening] = /listening on (127\.0\.0\.1:\d+)/.exec(line) ?? [];
      if (listening) found(listening);
    });
    void child.then(() => failed(new Error("docker-registry did not start")));
  });
  return {
    address,
    stop: () => {
      child.kill("SIGTERM", { forceKillAfterTimeout: 2000 });
      return child;
    },
  };
}

/** What a proxy does with a request of its own accord; true when it has answered. */
export type Meddling = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A registry between a client and another one, which can be made to fail. */
export interface FaultyProxy extends Registry {
  /** What it does instead of passing a request on; a test sets it. */
  meddle: Meddling;
  /** Requests so far, as `GET /v2/…`. */
  requests: string[];
}

/** Starts a server on loopback that passes on what it is asked to a registry, unless it is told otherwise. */
export async function startFaultyProxy(upstream: string): Promise<FaultyProxy> {
  const server = createServer((request, response) => {
    proxy.requests.push(`${request.method} ${request.url}`);
    if (proxy.meddle(request, response)) return;
    const { method, url, headers } = request;
    const onward = ask(`http://${upstream}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  const proxy: FaultyProxy = {
    address: "",
    requests: [],
    meddle: () => false,
    stop: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    },
  };
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  proxy.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxy;
}

/** How a layer is compressed: the end of its media type, and what does it. */
interface Squeeze {
  name: "gzip" | "zstd";
  bytes: (raw: Buffer) => Buffer | Promise<Buffer>;
}
const gzip: Squeeze = { name: "gzip", bytes: (raw) => gzipSync(raw) };
export const zstd: Squeeze = {
  name: "zstd",
  bytes: async (raw) => (await execa("zstd", ["--quiet"], { input: raw, encoding: null })).stdout,
};

/** Makes images, as an OCI layout by hand (image-spec, image-layout.md), and pushes them. */
export class ImageMaker {
  private number = 0;

  constructor(
    private readonly folder: string,
    private readonly registry: Registry,
  ) {}

  /**
   * Pushes an image of one layer a content, and tags it.
   *
   * @param name with its tag, `ghcr.io/siderolabs/kubelet:v1.34.1`
   * @param contents of its layers
   * @param squeeze what compresses them
   * @returns digests of its manifest and its blobs
   */
  async push(name: string, contents: (string | Buffer)[], architecture = "amd64", squeeze = gzip) {
    const layout = join(this.folder, `layout-${++this.number}`);
    const made = await this.layout(layout, contents, architecture, squeeze);
    const to = `docker://${this.registry.address}/${name}`;
    await tool("skopeo", ["copy", "--quiet", "--dest-tls-verify=false", `oci:${layout}:made`, to]);
    return made;
  }

  /** Pushes a manifest, whose parts are in its repository, as it is, and returns its digest. */
  async pushManifest(
    name: string,
    manifest: { mediaType: string; [field: string]: unknown },
  ): Promise<string> {
    const [repository, tag] = [name.replace(/:[^:]*$/, ""), name.replace(/^.*:/, "")];
    const body = JSON.stringify(manifest);
    const url = `http://${this.registry.address}/v2/${repository}/manifests/${tag}`;
    const put = await fetch(url, { method: "PUT", body, headers: { "content-type": manifest.mediaType } });
    if (put.status !== 201) throw new Error(`${url}: ${put.status} ${await put.text()}`);
    return digestOf(body);
  }

  /** Pushes an index of manifests of the same repository, and returns its digest. */
  pushIndexOf(name: string, manifests: object[]): Promise<string> {
    const mediaType = "application/vnd.oci.image.index.v1+json";
    return this.pushManifest(name, { schemaVersion: 2, mediaType, manifests });
  }

  /** Pushes an index of an image for amd64 and one for arm64, by their digests, and returns its own. */
  async pushIndex(
    name: string,
    amd64: { digest: string; size: number },
    arm64: typeof amd64,
  ): Promise<string> {
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const entry = (image: typeof amd64, architecture: string) => ({
      ...{ mediaType, digest: image.digest, size: image.size },
      platform: { os: "linux", architecture },
    });
    return this.pushIndexOf(name, [entry(arm64, "arm64"), entry(amd64, "amd64")]);
  }

  private async layout(
    folder: string,
    contents: (string | Buffer)[],
    architecture: string,
    squeeze: Squeeze,
  ) {
    mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
    const put = (bytes: Buffer) => {
      const digest = digestOf(bytes);
      writeFileSync(join(folder, "blobs/sha256", digest.slice("sha256:".length)), bytes);
      return { digest, size: bytes.length };
    };
    const layers = [];
    for (const content of contents) {
      const raw = await archived(content);
      layers.push({ diff: digestOf(raw), ...put(await squeeze.bytes(raw)) });
    }
    const rootfs = { type: "layers", diff_ids: layers.map(({ diff }) => diff) };
    const config = put(Buffer.from(JSON.stringify({ architecture, os: "linux", config: {}, rootfs })));
    const type = "application/vnd.oci.image";
    const mediaType = `${type}.manifest.v1+json`;
    const manifest = put(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType,
          config: { mediaType: `${type}.config.v1+json`, ...config },
          layers: layers.map(({ digest, size }) => ({
            mediaType: `${type}.layer.v1.tar+${squeeze.name}`,
            digest,
            size,
          })),
        }),
      ),
    );
    const annotations = { "org.opencontainers.image.ref.name": "made" };
    const index = { schemaVersion: 2, manifests: [{ mediaType, ...manifest, annotations }] };
    writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    writeFileSync(join(folder, "index.json"), JSON.stringify(index));
    return { ...manifest, config: config.digest, layers: layers.map(({ digest }) => digest) };
  }
}

async function archived(content: string | Buffer): Promise<Buffer> {
  const pack = tar.pack();
  pack.entry({ name: "file", mtime: new Date(0) }, content);
  pack.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of pack) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/**
 * A home in which containers' own config takes upstreams' images from a registry on loopback, as the config of a site with a
 * mirror does (containers-registries.conf(5)).
 *
 * @param hosts upstreams
 * @returns the environment of who lives there
 */
export function homeWithMirrors(folder: string, address: string, hosts: string[]): NodeJS.ProcessEnv {
  const config = join(folder, ".config/containers");
  mkdirSync(config, { recursive: true });
  const entries = hosts.map(
    (host) => `[[registry]]\nprefix = "${host}"\nlocation = "${address}/${host}"\ninsecure = true\n`,
  );
  writeFileSync(join(config, "registries.conf"), entries.join("\n"));
  return { HOME: folder, XDG_CONFIG_HOME: join(folder, ".config"), XDG_RUNTIME_DIR: join(folder, "run") };
}
