import { randomUUID } from "node:crypto";
import { open, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../programs/process";
import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";
import { MIB } from "../../stack/mib";

export const SECTOR = 512;

/** A partition as sfdisk(8) describes it; positions in sectors of 512 bytes. */
export interface Partition {
  number: number;
  start: number;
  size: number;
  type: string;
  uuid: string;
  name?: string;
  attrs?: string;
}

export interface PartitionTable {
  id: string;
  partitions: Partition[];
}

/** Reads the GPT of a disk image. */
export async function readTable(context: Pick<StepContext, "signal">, disk: string): Promise<PartitionTable> {
  const { stdout } = await run(context, "sfdisk", ["--json", disk]);
  const { partitiontable } = JSON.parse(stdout) as {
    partitiontable: {
      label: string;
      id: string;
      partitions: (Omit<Partition, "number"> & { node: string })[];
    };
  };
  if (partitiontable.label !== "gpt") {
    throw new StepError(
      `reading the partitions of ${disk}`,
      `a ${partitiontable.label} table`,
      "A GPT is needed",
    );
  }
  const partitions = partitiontable.partitions.map(({ node, ...rest }) => ({
    ...rest,
    number: Number(/\d+$/.exec(node)?.[0]),
  }));
  return { id: partitiontable.id, partitions: partitions.sort((a, b) => a.start - b.start) };
}

/** Copies bytes of one file to the same place in another. */
async function copyBytes(from: FileHandle, to: FileHandle, position: number, length: number): Promise<void> {
  const { buffer, bytesRead } = await from.read(Buffer.alloc(length), 0, length, position);
  await to.write(buffer, 0, bytesRead, position);
}

/** Writes a GPT, protective MBR and backup included; the boot code in sector 0 stays. */
export async function writeTable(context: StepContext, disk: string, table: PartitionTable): Promise<void> {
  const rows = table.partitions.map(({ number, start, size, type, uuid, name, attrs }) =>
    // sfdisk reads the number off the end of this name, so it must not be that of a file which ends in digits.
    [`p${number} : start=${start}`, `size=${size}`, `type=${type}`, `uuid=${uuid}`]
      .concat(name ? [`name="${name}"`] : [], attrs ? [`attrs="${attrs}"`] : [])
      .join(", "),
  );
  const script = ["label: gpt", `label-id: ${table.id}`, ...rows, ""].join("\n");
  // sfdisk waits until all that was ever written to its file is on the disk: it gets an empty one of the same size.
  const model = join(context.scratch, `table-${randomUUID()}.raw`);
  const [target, made] = [await open(disk, "r+"), await open(model, "w+")];
  try {
    const { size } = await target.stat();
    await made.truncate(size);
    await copyBytes(target, made, 0, SECTOR);
    const flags = ["--no-reread", "--no-tell-kernel", "--wipe", "never", "--wipe-partitions", "never"];
    await run(context, "sfdisk", ["--quiet", ...flags, model], { input: script });
    await copyBytes(made, target, 0, GPT_SECTORS * SECTOR);
    await copyBytes(made, target, size - BACKUP_GPT_SECTORS * SECTOR, BACKUP_GPT_SECTORS * SECTOR);
  } finally {
    await Promise.all([target.close(), made.close(), rm(model)]);
  }
}

/** Sectors that the backup GPT takes at the end of a disk (UEFI specification 2.10, section 5.3). */
export const BACKUP_GPT_SECTORS = 33;
/** Those at its beginning: the protective MBR comes first. */
const GPT_SECTORS = 1 + BACKUP_GPT_SECTORS;

/** The next start on a whole MiB, where every tool expects one. */
export function alignUp(sector: number): number {
  const step = MIB / SECTOR;
  return Math.ceil(sector / step) * step;
}

/** The partition that holds the root file system of a base or of an image: the largest one of a Linux type that is no other layer. */
export function rootOf(table: Pick<PartitionTable, "partitions">): Partition {
  const linux = /^(0FC63DAF-8483-4772-8E79-3D69D8477DE4|4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709)$/i;
  const root = table.partitions
    .filter(({ type, name }) => linux.test(type) && !name?.startsWith("bootstrap-"))
    .sort((a, b) => b.size - a.size)[0];
  if (!root) throw new Error("the disk has no Linux root partition");
  return root;
}

/** How e2fsprogs address a file system inside a disk image: at an offset, without a loop device. */
export function ext4At(disk: string, partition: Partition): string {
  return `${disk}?offset=${partition.start * SECTOR}`;
}
