import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ext4At, readTable, SECTOR, type Partition } from "../steps/disk/partitions";
import { run } from "../steps/programs/process";
import type { StepContext } from "../steps/frame/context";

const TYPES = {
  biosBoot: /^21686148-/i,
  esp: /^C12A7328-/i,
};

/** Takes a partition's files out of an image. */
async function takeOut(context: StepContext, image: string, partition: Partition, to: string): Promise<void> {
  const start = String(partition.start * SECTOR);
  if (partition.name?.startsWith("bootstrap-")) {
    const flags = ["-quiet", "-no-progress", "-no-xattrs", "-force", "-offset", start, "-dest", to];
    await run(context, "unsquashfs", [...flags, image]);
  } else if (TYPES.esp.test(partition.type)) {
    await run(context, "mcopy", ["-s", "-i", `${image}@@${start}`, "::", to]);
  } else {
    // It cannot give files to their owners here, says so of each one, and goes on.
    await run(context, "debugfs", ["-R", `rdump / ${to}`, ext4At(image, partition)]);
  }
}

/**
 * Bytes of what is installed in an image: what du(1) says of the files of all its partitions, taken out of it. No table,
 * no journal, no free block counts.
 */
export async function contentBytes(context: StepContext, image: string, scratch: string): Promise<number> {
  const { partitions } = await readTable(context, image);
  mkdirSync(scratch);
  for (const partition of partitions.filter(({ type }) => !TYPES.biosBoot.test(type))) {
    const to = join(scratch, String(partition.number));
    mkdirSync(to);
    await takeOut(context, image, partition, to);
  }
  const { stdout } = await run(context, "du", ["--summarize", "--block-size=1", scratch]);
  rmSync(scratch, { recursive: true });
  return Number.parseInt(stdout, 10);
}
