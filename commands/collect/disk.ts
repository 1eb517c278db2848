import { statSync } from "node:fs";
import { join } from "node:path";
import { ext4At, readTable, rootOf, SECTOR, type Partition } from "../../steps/disk/partitions";
import { failureOf, run, saidBy } from "../../steps/programs/process";
import type { StepContext } from "../../steps/frame/context";
import { StepError } from "../../steps/frame/step-error";
import { rawOf } from "../raw-image";

/** An appliance's disk, or the image that it was made as. */
export interface ApplianceDisk {
  /** Its root file system, as e2fsprogs address it. */
  root: string;
  /** A file of the site layer that is known to hold no secret; undefined where it cannot be read. */
  siteEnv: string | undefined;
}

const NEEDED = "Name the image of an appliance, or a copy of its virtual machine's disk";

/** Whatever a hypervisor keeps its disks as, as a raw disk: a copy in the folder unless the file is raw itself. */
async function rawDisk(context: StepContext, file: string, folder: string): Promise<string> {
  const unpacked = await rawOf(context, file, () => folder);
  // A disk that a machine has open is looked at too.
  const { stdout } = await run(context, "qemu-img", ["info", "--output=json", "-U", unpacked]);
  const { format } = JSON.parse(stdout) as { format: string };
  if (format === "raw") return unpacked;
  context.log(`converting it from ${format} to raw`);
  const raw = join(folder, "disk.raw");
  await run(context, "qemu-img", ["convert", "-U", "-f", format, "-O", "raw", unpacked, raw]);
  return raw;
}

/** A root file system whose journal is replayed, in a copy where there is something to replay. */
async function settledRoot(
  context: StepContext,
  disk: string,
  root: Partition,
  folder: string,
): Promise<string> {
  const there = ext4At(disk, root);
  const { stdout } = await run(context, "tune2fs", ["-l", there], { env: { LC_ALL: "C" } });
  if (!/^Filesystem features:.*\bneeds_recovery\b/m.test(stdout)) return there;
  context.log("it was switched off without a shutdown: of its last seconds some may be missing");
  const copy = join(folder, "root.ext4");
  const [skip, count] = [root.start * SECTOR, root.size * SECTOR];
  await run(context, "dd", [
    ...[`if=${disk}`, `of=${copy}`, "bs=1M", "conv=sparse", "status=none"],
    ...["iflag=skip_bytes,count_bytes", `skip=${skip}`, `count=${count}`],
  ]);
  await run(context, "e2fsck", ["-p", "-E", "journal_only", copy]).catch((fault: unknown) => {
    const { exitCode, stderr } = failureOf(fault);
    if (exitCode === undefined) throw fault;
    // Status 1 says that it was replayed; see e2fsck(8).
    if (exitCode !== 1) context.log(`its file system's journal cannot be replayed: ${stderr.trim()}`);
  });
  return copy;
}

/** The site layer's site.env, and nothing else of that layer: the rest holds the cluster's secrets. */
async function readSiteEnv(
  context: StepContext,
  disk: string,
  site?: Partition,
): Promise<string | undefined> {
  if (!site) return undefined;
  const flags = ["-cat", "-offset", String(site.start * SECTOR)];
  return run(context, "unsquashfs", [...flags, disk, "site.env"]).then(
    ({ stdout }) => stdout,
    saidBy(() => undefined),
  );
}

/**
 * Opens an appliance's disk for reading, without root, mounts or a boot; the file is not changed.
 *
 * @param file an image, or a copy of a disk: raw, or of any form that qemu-img reads; compressed by gzip or zstd, too
 * @param named the file as the person named it
 * @param folder for what has to be unpacked, converted or repaired first
 * @throws StepError where it is no disk of an appliance
 */
export async function openDisk(
  context: StepContext,
  file: string,
  named: string,
  folder: string,
): Promise<ApplianceDisk> {
  const doing = `reading ${named}`;
  const info = statSync(file, { throwIfNoEntry: false });
  if (!info) throw new StepError(doing, "there is no such file", NEEDED);
  if (!info.isFile()) throw new StepError(doing, "it is no file", NEEDED);
  if (/\.(ova|tar)$/i.test(file))
    throw new StepError(doing, "it is an archive", `Unpack it, tar -xf ${named}, and name the disk in it`);
  const disk = await rawDisk(context, file, folder);
  const table = await readTable(context, disk).catch(
    saidBy(() => {
      throw new StepError(doing, "it has no partition table", NEEDED);
    }),
  );
  const partition = (name: string) => table.partitions.find((each) => each.name === name);
  const site = partition("bootstrap-site");
  if (!site) throw new StepError(doing, "there is no partition bootstrap-site", NEEDED);
  return {
    root: await settledRoot(context, disk, rootOf(table), folder),
    siteEnv: await readSiteEnv(context, disk, site),
  };
}
