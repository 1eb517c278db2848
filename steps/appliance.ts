import { createHash } from "node:crypto";
import { open, stat, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type * as z from "zod";
import * as contract from "./contracts/appliance";
import { refuseAltered } from "./store/altered";
import { listChecksums } from "./store/checksums";
import {
  intact,
  manifestOf,
  partialBeside,
  publish,
  sha256WithParts,
  verified,
  type DigestedPart,
} from "./store/files";
import { claim } from "./store/owner";
import { sweepImages } from "./store/partials.cjs";
import {
  alignUp,
  BACKUP_GPT_SECTORS,
  readTable,
  SECTOR,
  writeTable,
  type Partition,
} from "./disk/partitions";
import { run } from "./programs/process";
import { writeSiteLayer } from "./disk/site-layer";
import { bytesOf } from "./talos/slice";
import type { StepContext } from "./frame/context";
import { runStep } from "./frame/main";
import { StepError } from "./frame/step-error";
import { MIB } from "../stack/mib";

type Request = z.output<typeof contract.Input>;

const LINUX_FILESYSTEM = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
/** Only the step's own user reads an image: it holds the cluster's secrets. */
const IMAGE_MODE = 0o600;

/** A UUID out of a text: the same layer has the same one. */
function uuidFor(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  // RFC 9562, version 8: the contents are the maker's own.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`.toUpperCase();
}

/** Copies a layer to its place in the disk. */
async function place(context: StepContext, layer: string, disk: string, start: number): Promise<void> {
  const mib = (start * SECTOR) / MIB;
  await run(context, "dd", [
    `if=${layer}`,
    `of=${disk}`,
    "bs=1M",
    `seek=${mib}`,
    "conv=notrunc,sparse",
    "status=none",
  ]);
}

/** A layer that was touched since its step made it must not end up in an image, whose checksum would fit. */
function expectUntouched({ path, sha256 }: Pick<Request["base"], "path" | "sha256">): void {
  if (intact(path)?.sha256 !== sha256)
    throw new StepError(
      `reading ${path}`,
      "it is not the layer that was made for this",
      "Run pulumi up again",
    );
}

async function copyBase(context: StepContext, base: string, disk: string): Promise<void> {
  // Made by cp, it would be open to others for as long as the copy takes.
  await (await open(disk, "wx", IMAGE_MODE)).close();
  await run(context, "cp", ["--reflink=auto", "--sparse=always", base, disk]);
}

/**
 * The bytes of the base and of the netboot layer in the finished disk, as their own files have them. The base's two copies of
 * its partition table, at either end, are not in the disk, which has its own.
 */
async function layersIn(
  context: StepContext,
  { base, netboot }: Request,
  disk: string,
): Promise<[base: DigestedPart, netboot: DigestedPart]> {
  const { partitions } = await readTable(context, disk);
  const at = partitions.findIndex(({ name }) => name === "bootstrap-netboot");
  const [first, last, added] = [partitions[0], partitions[at - 1], partitions[at]] as Partition[];
  const [start, end] = [first!.start * SECTOR, (last!.start + last!.size) * SECTOR];
  const bytesFrom = (from: number, size: number) => bytesOf({ file: base.path, start: from, size });
  const [before, after] = await Promise.all([
    bytesFrom(0, start),
    bytesFrom(end, (await stat(base.path)).size - end),
  ]);
  const from = added!.start * SECTOR;
  return [
    { start, end, before, after },
    { start: from, end: from + (await stat(netboot.path)).size },
  ];
}

/**
 * The digest of the finished disk. By the same reading, the layers in it are compared with what their steps made: a file can be
 * altered, or go bad, with its size and time as they were.
 */
async function digestOf(context: StepContext, request: Request, disk: string): Promise<string> {
  const parts = await layersIn(context, request, disk);
  const { whole, parts: found } = await sha256WithParts(disk, parts, context.signal);
  const wanted = [request.base, request.netboot].map(({ sha256 }) => sha256);
  if (isDeepStrictEqual(found, wanted)) return whole;
  throw new StepError(
    "checking the layers of the image",
    "they are not copied as they were read",
    "See whether the disk or the memory of this machine is failing, then run pulumi up again",
  );
}

/** Lays the other layers behind a copy of the base and writes the partition table around them. */
async function addLayers(context: StepContext, request: Request, site: string, disk: string): Promise<void> {
  const table = await readTable(context, disk);
  const added = [
    { name: "bootstrap-netboot", file: request.netboot.path, identity: request.netboot.sha256 },
    // The site's digest would tell two secrets apart from outside; the key of its inputs does not.
    { name: "bootstrap-site", file: site, identity: request.key },
  ];
  let number = Math.max(...table.partitions.map((partition) => partition.number));
  const last = table.partitions.at(-1) as Partition;
  // The base's own backup table lies where the first layer goes: cut it off.
  await truncate(disk, alignUp(last.start + last.size) * SECTOR);
  for (const { name, file, identity } of added) {
    const before = table.partitions.at(-1) as Partition;
    const start = alignUp(before.start + before.size);
    const size = alignUp(Math.ceil((await stat(file)).size / SECTOR));
    table.partitions.push({
      number: ++number,
      start,
      size,
      type: LINUX_FILESYSTEM,
      uuid: uuidFor(`${name} ${identity}`),
      name,
    });
    await truncate(disk, (start + size + alignUp(BACKUP_GPT_SECTORS)) * SECTOR);
  }
  await Promise.all(
    added.map(({ file }, index) =>
      place(context, file, disk, (table.partitions.at(index - added.length) as Partition).start),
    ),
  );
  await writeTable(context, disk, table);
}

/** What can be told of the finished disk without booting it. The base was inspected when it was made. */
async function inspect(context: StepContext, disk: string): Promise<void> {
  const { partitions } = await readTable(context, disk);
  const layers = ["bootstrap-netboot", "bootstrap-site"].map((name) => {
    const found = partitions.find((partition) => partition.name === name);
    return (found?.start ?? 0) * SECTOR;
  });
  await Promise.all([
    run(context, "sfdisk", ["--verify", disk]),
    ...layers.map((start) => run(context, "unsquashfs", ["-ll", "-offset", String(start), disk])),
  ]);
}

/** Makes the disk and returns its SHA-256. */
async function assemble(context: StepContext, request: Request, disk: string): Promise<string> {
  const site = join(context.scratch, "site");
  const consoleHash = process.env.CONSOLE_HASH;
  await Promise.all([
    copyBase(context, request.base.path, disk),
    writeSiteLayer(context, { ...request, consoleHash }, site),
  ]);
  await addLayers(context, request, site, disk);
  const [sha256] = await Promise.all([digestOf(context, request, disk), inspect(context, disk)]);
  return sha256;
}

void runStep("appliance", contract, async (request, context) => {
  sweepImages();
  await claim(request.path, request.stack, (line) => context.log(line));
  const made = await verified(request.path, request.key);
  if (made) {
    await listChecksums(dirname(request.path));
    return manifestOf(request.path, made);
  }

  const layers = [request.base, request.netboot];
  for (const layer of layers) expectUntouched(layer);
  const disk = await partialBeside(request.path);
  const sha256 = await assemble(context, request, disk).catch(async (fault: unknown) => {
    context.signal.throwIfAborted();
    // What an altered layer breaks shows in many ways.
    for (const layer of layers) await refuseAltered(context, layer);
    throw fault;
  });
  const stamp = await publish(disk, request.path, request.key, { sha256 });
  await listChecksums(dirname(request.path));
  if (request.kernelLine) context.log(request.kernelLine);
  context.log(`${Math.round(stamp.bytes / MIB)} MiB: ${request.path}`);
  return manifestOf(request.path, stamp);
});
