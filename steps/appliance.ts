import { createHash } from "node:crypto";
import { chmod, stat, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { listChecksums } from "./lib/checksums";
import { intact, manifestOf, partialBeside, publish, sha256File, verified } from "./lib/files";
import { claim } from "./lib/owner";
import { alignUp, BACKUP_GPT_SECTORS, readTable, SECTOR, writeTable, type Partition } from "./lib/partitions";
import { run } from "./lib/process";
import { writeSiteLayer } from "./lib/site-layer";
import { runStep, type StepContext } from "./lib/step";
import { StepError } from "./lib/step-error";

const File = z.object({ path: z.string(), sha256: z.string() });
const Input = z.object({
  key: z.string(),
  /** The finished image. */
  path: z.string(),
  /** Stack that owns the path. */
  stack: z.string(),
  base: File,
  netboot: File,
  files: z.record(z.string(), z.string()),
  machineConfig: File,
  talosConfig: File.optional(),
  ageKeyFile: z.string().optional(),
});
type Request = z.output<typeof Input>;

const MIB = 1 << 20;
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
function holdToStamp({ path, sha256 }: z.output<typeof File>): void {
  if (intact(path)?.sha256 !== sha256)
    throw new StepError(
      `reading ${path}`,
      "it is not the layer that was made for this",
      "Run pulumi up again",
    );
}

async function copyBase(context: StepContext, base: string, disk: string): Promise<void> {
  await run(context, "cp", ["--reflink=auto", "--sparse=always", base, disk]);
  await chmod(disk, IMAGE_MODE);
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

void runStep("appliance", Input, async (request, context) => {
  await claim(request.path, request.stack);
  const made = await verified(request.path, request.key);
  if (made) {
    await listChecksums(dirname(request.path));
    return manifestOf(request.path, made);
  }

  const { base, netboot } = request;
  for (const layer of [base, netboot]) holdToStamp(layer);
  const site = join(context.scratch, "site");
  const disk = await partialBeside(request.path);
  const { CONSOLE_HASH, KERNEL_LINE } = process.env;
  await Promise.all([
    copyBase(context, base.path, disk),
    writeSiteLayer(context, { ...request, consoleHash: CONSOLE_HASH }, site),
  ]);
  await addLayers(context, request, site, disk);
  // Nor while it was copied.
  for (const layer of [base, netboot]) holdToStamp(layer);
  const [sha256] = await Promise.all([sha256File(disk), inspect(context, disk)]);
  const stamp = await publish(disk, request.path, request.key, { sha256 });
  await listChecksums(dirname(request.path));
  if (KERNEL_LINE) context.log(KERNEL_LINE);
  context.log(`${Math.round(stamp.bytes / MIB)} MiB: ${request.path}`);
  return manifestOf(request.path, stamp);
});
