import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import tar from "tar-stream";
import { readTable, SECTOR, type Partition } from "../../steps/disk/partitions";
import { publish } from "../../steps/store/files";
import { squashfs } from "../../steps/disk/squashfs";
import { demo } from "./demo";
import { inToolEnvironment, sha256Of, tool, TOP, toolEnvironment } from "../tools";

/** What the step `appliance` gets, as far as these tests change it. */
export interface Assembly {
  path: string;
  netboot: { path: string; sha256: string };
  images?: { path: string; sha256: string };
  files: Record<string, string>;
  machineConfig: { path: string; sha256: string };
}

let demoState: Promise<string> | undefined;

/** What the demo's stack gave to a step. */
export async function demoInput<T>(resource: string): Promise<T> {
  demoState ??= tool("node", ["commands/pulumi.mjs", "stack", "export", "--stack", "demo"]);
  const { deployment } = JSON.parse(await demoState) as {
    deployment: { resources: { urn: string; inputs?: { stdin?: string } }[] };
  };
  const found = deployment.resources.find(({ urn }) => urn.endsWith(`::${resource}`));
  return JSON.parse(found?.inputs?.stdin ?? "null") as T;
}

/** Images of a test file like the demo's, each with one thing changed; gone when it ends. */
export class Images {
  readonly folder: string;
  private readonly assembly = demoInput<Assembly>("appliance-assembly");
  /** Release of Talos that the demo is of. */
  private readonly version = demo.talosVersion;

  constructor() {
    const parent = join(TOP, "artifacts", "test");
    mkdirSync(parent, { recursive: true });
    this.folder = mkdtempSync(join(parent, "images-"));
  }

  /** Puts an image together by the very step, from inputs that `change` spoils. */
  async make(change: (assembly: Assembly) => void | Promise<void>): Promise<Assembly> {
    const assembly = structuredClone(await this.assembly);
    assembly.path = join(mkdtempSync(join(this.folder, "image-")), "image.raw");
    await change(assembly);
    const input = JSON.stringify({ ...assembly, stack: "test", key: sha256Of(JSON.stringify(assembly)) });
    const CONSOLE_HASH = "$2a$10$abcdefghijklmnopqrstuuPZ1Y5VQ1i4v3JQ5m1e0q6rJm6V0wG7K";
    const ended = await inToolEnvironment("steps/run", ["appliance"], { input, env: { CONSOLE_HASH } });
    if (ended.exitCode !== 0) throw new Error(ended.all);
    return assembly;
  }

  /** A netboot layer like the demo's, of a release, with files replaced or changed. */
  async netboot(
    version: string,
    replaced: Record<string, Buffer | ((content: Buffer) => Buffer) | undefined>,
  ): Promise<Assembly["netboot"]> {
    const { netboot } = await this.assembly;
    const pack = tar.pack();
    pack.entry({ name: "talos", type: "directory", mode: 0o755 });
    pack.entry({ name: `talos/${version}`, type: "directory", mode: 0o755 });
    for (const name of ["vmlinuz", "initramfs.xz"]) {
      const unpack = ["-cat", netboot.path, `talos/${this.version}/${name}`];
      const { stdout } = await inToolEnvironment("unsquashfs", unpack, {
        encoding: null as never,
        all: false,
      });
      const own = stdout as unknown as Buffer;
      const other = name in replaced ? replaced[name] : own;
      const content = typeof other === "function" ? other(own) : other;
      if (content) pack.entry({ name: `talos/${version}/${name}`, mode: 0o644 }, content);
    }
    pack.finalize();
    const path = join(mkdtempSync(join(this.folder, "netboot-")), "netboot.squashfs");
    process.env.PATH = toolEnvironment.PATH;
    await squashfs({ signal: new AbortController().signal } as never, pack, `${path}.made`);
    const { sha256 } = await publish(`${path}.made`, path, "test");
    return { path, sha256 };
  }

  /** A machine config that is not encrypted. */
  config(text: string): Assembly["machineConfig"] {
    const path = join(mkdtempSync(join(this.folder, "config-")), "controlplane.yaml");
    writeFileSync(path, text);
    return { path, sha256: sha256Of(text) };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Replaces in one rendered file; a test that changes nothing proves nothing. */
export function edit(assembly: Assembly, file: string, from: string | RegExp, to: string): void {
  const before = assembly.files[file] ?? "";
  const after = before.replace(from, to);
  if (after === before) throw new Error(`files/${file} has no ${from}`);
  assembly.files[file] = after;
}

/** Overwrites sectors of a finished image with zeros. */
export function blank(path: string, { start, size }: Pick<Partition, "start" | "size">): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(size * SECTOR), 0, size * SECTOR, start * SECTOR);
  closeSync(file);
}

/** A partition of a finished image. */
export async function partitionOf(
  path: string,
  isWanted: (partition: Partition) => boolean,
): Promise<Partition> {
  const { partitions } = await readTable({ signal: new AbortController().signal }, path);
  const found = partitions.find(isWanted);
  if (!found) throw new Error(`no partition of ${path} is like that`);
  return found;
}
