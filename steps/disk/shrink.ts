import { rm, truncate, writeFile } from "node:fs/promises";
import {
  alignUp,
  BACKUP_GPT_SECTORS,
  ext4At,
  readTable,
  rootOf,
  SECTOR,
  writeTable,
  type Partition,
} from "./partitions";
import { failureOf, run } from "../programs/process";
import type { StepContext } from "../frame/context";
import { MIB } from "../../stack/mib";

/** Room that the root file system keeps for what an appliance writes while it runs: its journal above all (journald.conf). */
const SLACK_BYTES = 64 * MIB;

/** The superblock in words. Not by `dumpe2fs -h`: that of e2fsprogs 1.47.2 refuses an offset in the name. */
async function superblock(context: StepContext, filesystem: string): Promise<string> {
  const env = { TZ: "UTC", LC_ALL: "C" };
  return (await run(context, "tune2fs", ["-l", filesystem], { env })).stdout;
}

async function blocks(context: StepContext, filesystem: string) {
  const told = await superblock(context, filesystem);
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(told)?.[1]);
  return { total: field("Block count"), free: field("Free blocks"), size: field("Block size") };
}

/**
 * What has e2fsprogs take the time that the file system was last written at for now, so that the same disk is shrunk to the
 * same bytes (e2fsprogs, lib/ext2fs/openfs.c and e2fsck/unix.c).
 */
async function timeStoodStill(context: StepContext, filesystem: string): Promise<NodeJS.ProcessEnv> {
  const told = await superblock(context, filesystem);
  const written = Date.parse(`${/^Last write time:\s+(.*)$/m.exec(told)?.[1]} UTC`);
  const now = String(written / 1000);
  return { E2FSPROGS_FAKE_TIME: now, E2FSCK_TIME: now };
}

/** Repairs what can be repaired, and turns free blocks into holes. */
async function check(context: StepContext, filesystem: string, env: NodeJS.ProcessEnv): Promise<void> {
  await run(context, "e2fsck", ["-fp", "-E", "discard", filesystem], { env }).catch((fault: unknown) => {
    // Status 1 says that a fault was repaired, which is fine; see e2fsck(8).
    if (failureOf(fault).exitCode !== 1) throw fault;
  });
}

interface Range {
  from: string;
  fromByte: number;
  to: string;
  toByte: number;
  bytes: number;
}

/** A part of a file as qemu-img takes it. A comma ends a value there, two are one (qemu(1), -drive). */
const part = (file: string, from: number, bytes: number) =>
  `driver=raw,offset=${from},size=${bytes},file.driver=file,file.filename=${file.replaceAll(",", ",,")}`;

/** Copies a part of a file to a place in another one that is a hole; it is not read where it is one itself. */
async function copyRange(context: StepContext, { from, fromByte, to, toByte, bytes }: Range): Promise<void> {
  const flags = ["-n", "--target-is-zero", "-S", "4k", "-m", "8", "-W"];
  const ends = ["--image-opts", part(from, fromByte, bytes), "--target-image-opts", part(to, toByte, bytes)];
  await run(context, "qemu-img", ["convert", ...flags, ...ends]);
}

async function emptyFile(path: string, bytes: number): Promise<void> {
  await writeFile(path, "");
  await truncate(path, bytes);
}

/**
 * Shrinks a file system to what it uses and the slack. By its own estimate resize2fs would leave a fifth more; below that
 * it goes when told to, or fails.
 */
async function resize(context: StepContext, filesystem: string, by: "use" | "estimate"): Promise<void> {
  const env = await timeStoodStill(context, filesystem);
  // ext4 reserves a twentieth for root, which journald counts as used: of a large root that is more than all the slack.
  await run(context, "tune2fs", ["-m", "0", filesystem], { env });
  for (;;) {
    await check(context, filesystem, env);
    const { total, free, size } = await blocks(context, filesystem);
    const { stdout } = await run(context, "resize2fs", ["-P", filesystem]);
    const least = by === "use" ? total - free : Number(/(\d+)\s*$/.exec(stdout)?.[1]);
    const wanted = least + Math.ceil(SLACK_BYTES / size);
    // What is cut off takes its tables with it, and the next pass finds less in use.
    if (wanted + MIB / size > total) return;
    await run(context, "resize2fs", ["-f", filesystem, String(wanted)], { env });
  }
}

/** The last partition's file system in a file of its own, shrunk. */
async function shrunkRoot(context: StepContext, disk: string, root: Partition, file: string): Promise<void> {
  const bytes = root.size * SECTOR;
  const takeOut = async () => {
    await emptyFile(file, bytes);
    await copyRange(context, { from: disk, fromByte: root.start * SECTOR, to: file, toByte: 0, bytes });
  };
  await takeOut();
  try {
    await resize(context, file, "use");
  } catch {
    context.signal.throwIfAborted();
    await takeOut();
    await resize(context, file, "estimate");
  }
}

/**
 * Writes `result`, a disk like `disk`, with its root file system shrunk to its content and some slack, and the disk with
 * it. Where the root is not the last partition, `result` is a mere copy; free blocks cost no room in either.
 *
 * @returns bytes in use in the root file system, its tables and journal among them
 */
export async function shrink(context: StepContext, disk: string, result: string): Promise<number> {
  const table = await readTable(context, disk);
  const root = rootOf(table);
  if (table.partitions.at(-1) === root) {
    // resize2fs cuts the file that it works on at the file system's size, whatever the offset: it gets a file of its own.
    const file = `${result}.root`;
    await shrunkRoot(context, disk, root, file);
    const { total, size } = await blocks(context, file);
    root.size = alignUp((total * size) / SECTOR);
    await emptyFile(result, (alignUp(root.start + root.size) + alignUp(BACKUP_GPT_SECTORS)) * SECTOR);
    const before = root.start * SECTOR;
    await copyRange(context, { from: disk, fromByte: 0, to: result, toByte: 0, bytes: before });
    await copyRange(context, { from: file, fromByte: 0, to: result, toByte: before, bytes: total * size });
    await writeTable(context, result, table);
    await rm(file);
  } else {
    await run(context, "cp", ["--sparse=always", disk, result]);
  }
  const { total, free, size } = await blocks(context, ext4At(result, root));
  return (total - free) * size;
}
