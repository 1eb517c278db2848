import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { debugfs, namesIn } from "./ext4-files";
import { ext4At, readTable, rootOf, SECTOR, type PartitionTable } from "./partitions";
import { run, start } from "../programs/process";
import type { StepContext } from "../frame/context";

/** Names in a folder that must hold none of the kind, with the reason. */
const MUST_BE_ABSENT: [folder: string, pattern: RegExp, what: string][] = [
  ["/home", /^packer$/, "the build user's home"],
  ["/etc/ssh", /^ssh_host_.*/, "ssh host keys of the build"],
  ["/root/.ssh", /./, "ssh keys of the build"],
  ["/etc/netplan", /./, "the build's network"],
  ["/var/lib/cloud", /./, "cloud-init's state, with the build's key"],
  ["/etc/sudoers.d", /cloud-init/, "the build user's sudo rule"],
  ["/var/log", /\.log$|^journal$|^auth|^syslog/, "logs of the build"],
];

async function rootFaults(filesystem: string): Promise<string[]> {
  const faults: string[] = [];
  for (const [folder, pattern, what] of MUST_BE_ABSENT) {
    const found = (await namesIn(filesystem, folder)).filter((name) => pattern.test(name));
    if (found.length > 0) faults.push(`${what} (${folder}/${found.join(", ")})`);
  }
  const passwd = await debugfs(filesystem, "cat /etc/passwd");
  if (!/^root:/m.test(passwd)) faults.push("no /etc/passwd: it is no root file system");
  if (/^packer:/m.test(passwd)) faults.push("the build user packer (/etc/passwd)");
  if (/^root:\$/m.test(await debugfs(filesystem, "cat /etc/shadow")))
    faults.push("a password of root (/etc/shadow)");
  if ((await debugfs(filesystem, "cat /etc/machine-id")).trim() !== "") faults.push("the build's machine-id");
  return faults;
}

/** Whether each file system of the base is clean, by its own checker. */
async function dirtyFilesystems(
  context: StepContext,
  disk: string,
  table: PartitionTable,
): Promise<string[]> {
  const faults: string[] = [];
  const esp = table.partitions.find(({ type }) => /^C12A7328/i.test(type));
  const root = await start("e2fsck", ["-fn", ext4At(disk, rootOf(table))], {
    reject: false,
    stdin: "ignore",
  });
  if (root.exitCode !== 0)
    faults.push(`the root file system is not clean: ${root.stdout.split("\n").slice(-3).join(" | ")}`);
  if (!esp) return [...faults, "no EFI system partition"];
  const folder = await mkdtemp(join(context.scratch, "esp-"));
  const copy = join(folder, "esp.img");
  await run(context, "dd", [
    `if=${disk}`,
    `of=${copy}`,
    `bs=${SECTOR}`,
    `skip=${esp.start}`,
    `count=${esp.size}`,
    "status=none",
  ]);
  const fat = await start("fsck.vfat", ["-n", copy], { reject: false, stdin: "ignore" });
  if (fat.exitCode !== 0)
    faults.push(`the EFI partition is not clean: ${fat.stdout.trim().split("\n").slice(-2).join(" | ")}`);
  const loader = await start("mdir", ["-i", copy, "-b", "::EFI/BOOT/BOOTX64.EFI"], {
    reject: false,
    stdin: "ignore",
  });
  if (loader.exitCode !== 0) faults.push("no EFI/BOOT/BOOTX64.EFI, the removable path that a NAS boots");
  await rm(folder, { recursive: true });
  return faults;
}

/** Checks a base offline, by its bytes alone; an empty list means that all is well. */
export async function inspectBase(context: StepContext, disk: string): Promise<string[]> {
  const table = await readTable(context, disk);
  const verified = await start("sfdisk", ["--verify", disk], { reject: false, stdin: "ignore" });
  const faults =
    verified.exitCode === 0 ? [] : [`the partition table: ${verified.stderr || verified.stdout}`];
  faults.push(...(await dirtyFilesystems(context, disk, table)));
  faults.push(...(await rootFaults(ext4At(disk, rootOf(table)))));
  return faults;
}
