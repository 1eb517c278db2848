import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { StepContext } from "../../steps/frame/context";
import { tool, toolEnvironment } from "../tools";
import { MIB } from "../../stack/mib";

const SECTOR = 512;
const PER_MIB = MIB / SECTOR;
const ESP_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
const ROOT_TYPE = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";

/** A context as a step has it. */
export function stepContext(scratch: string): StepContext {
  process.env.PATH = toolEnvironment.PATH;
  return { signal: new AbortController().signal, scratch, log: () => undefined };
}

/** A root file system as `seal` leaves it, as little as that takes. */
export const SEALED_ROOT: Record<string, string> = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
  "etc/shadow": "root:!:20000:0:99999:7:::\n",
  "etc/machine-id": "",
  "etc/hostname": "bootstrap-pxe\n",
};

/** A disk like a base: GPT, EFI partition with its loader, ext4 root with these files last. Where the root lies, in MiB. */
export async function makeDisk(
  folder: string,
  root: Record<string, string | Buffer>,
  { rootStart, rootSize } = { rootStart: 6, rootSize: 8 },
): Promise<string> {
  const ESP = { start: PER_MIB, size: 4 * PER_MIB, type: ESP_TYPE };
  const ROOT = { start: rootStart * PER_MIB, size: rootSize * PER_MIB, type: ROOT_TYPE };
  const [tree, disk, esp] = ["tree", "disk.raw", "esp.img"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const [name, text] of Object.entries(root)) {
    mkdirSync(dirname(join(tree, name)), { recursive: true });
    writeFileSync(join(tree, name), text);
  }
  writeFileSync(disk, "");
  truncateSync(disk, (rootStart + rootSize + 2) * MIB);
  const rows = [
    ["p15", ESP],
    ["p1", ROOT],
  ] as const;
  const table = rows.map(
    ([name, { start, size, type }]) => `${name} : start=${start}, size=${size}, type=${type}`,
  );
  await tool("sfdisk", ["--quiet", disk], ["label: gpt", ...table, ""].join("\n"));
  writeFileSync(esp, "");
  truncateSync(esp, ESP.size * SECTOR);
  writeFileSync(join(folder, "loader"), "MZ");
  await tool("mkfs.vfat", ["--invariant", esp]);
  await tool("mmd", ["-i", esp, "::EFI", "::EFI/BOOT"]);
  await tool("mcopy", ["-i", esp, join(folder, "loader"), "::EFI/BOOT/BOOTX64.EFI"]);
  await tool("dd", [`if=${esp}`, `of=${disk}`, "bs=512", `seek=${ESP.start}`, "conv=notrunc", "status=none"]);
  const at = ["-E", `offset=${ROOT.start * SECTOR}`];
  await tool("mke2fs", ["-q", "-t", "ext4", "-d", tree, ...at, disk, `${(ROOT.size * SECTOR) / 1024}k`]);
  return disk;
}
