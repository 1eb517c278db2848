import { existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../steps/programs/process";
import { partialBeside, sha256File, writeWhole } from "../../steps/store/files";
import type { StepContext } from "../../steps/frame/context";
import { StepError } from "../../steps/frame/step-error";
import { MIB } from "../../stack/mib";
import { ingredients, isUpToDate, noteMade } from "../made";
import { archives, distribution, GRUB_PC, type Distribution } from "../../tools/setup/distribution.cjs";
import { mmdebstrapsWords } from "./mmdebstrap-words";
import { fetchNewerIpxe, installHooks } from "./newer-ipxe";
import layout from "./packages.json";

/** File name of the stand-in, in the form of Ubuntu's cloud images: qcow2 under the ending img. */
export const BASE_IMAGE = "demo-server-cloudimg-amd64.img";

const SECTOR = 512;
const ROOT_LABEL = "cloudimg-rootfs";
// As on Ubuntu's cloud images: root is number 1 and lies last, so that it can grow and shrink.
const PARTITIONS = {
  bios: { number: 14, startMib: 1, sizeMib: 1, type: "21686148-6449-6E6F-744E-656564454649" },
  esp: { number: 15, startMib: 2, sizeMib: 16, type: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B" },
  root: { number: 1, startMib: 18, sizeMib: 1900, type: "0FC63DAF-8483-4772-8E79-3D69D8477DE4" },
};
const DISK_MIB = PARTITIONS.root.startMib + PARTITIONS.root.sizeMib + 1;
const GRUB_MODULES = [
  ...["part_gpt", "ext2", "fat", "search", "search_label", "normal"],
  ...["configfile", "linux", "serial", "terminal", "echo", "test"],
];

/** The distribution that the base is made from, by its own archive, names and keyring: the one that this machine runs. */
function ownDistribution(): Distribution {
  const found = distribution();
  if (found?.codename) return found;
  throw new StepError(
    "making the demo's base image",
    "/etc/os-release names no release of Debian or Ubuntu",
    "Run the demo on one of them, or set baseUrl and use a stack of your own",
  );
}

/** The root file system as a tar, made from its packages by mmdebstrap, without a service started or a mount left. */
async function rootTar(context: StepContext, tar: string): Promise<void> {
  const from = ownDistribution();
  const targets = await run(context, "apt-get", ["indextargets"]);
  const mirrors = archives(from, targets.stdout);
  const ipxe = await fetchNewerIpxe(context, from, mirrors);
  // Debian's links to the newest kernel lie in /, Ubuntu's in /boot: the files themselves are named.
  const newest = (pattern: string) => `$(cd "$1/boot" && ls -v ${pattern} | tail -n 1)`;
  const names = `s/KERNEL/${newest("vmlinuz-*")}/; s/INITRD/${newest("initrd.img-*")}/`;
  const options = [
    "--variant=minbase",
    `--include=${[...layout.packages, from.family.kernel].join(",")}`,
    ...layout.leaveOut.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
    "--aptopt=Apt::Install-Recommends false",
    ...(existsSync(from.family.keyring) ? [`--keyring=${from.family.keyring}`] : []),
    ...(ipxe ? installHooks(ipxe) : []),
    '--customize-hook=rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*',
    `--customize-hook=mkdir -p "$1/boot/grub" && sed "${names}" demo/base/grub.cfg >"$1/boot/grub/grub.cfg"`,
    `--customize-hook=printf 'LABEL=${ROOT_LABEL} / ext4 errors=remount-ro 0 1\\n' >"$1/etc/fstab"`,
    `--customize-hook=printf 'datasource_list: [NoCloud, None]\\n' >"$1/etc/cloud/cloud.cfg.d/90-demo.cfg"`,
  ];
  const onLine = (line: string) => {
    const words = mmdebstrapsWords(line);
    if (words) context.log(words);
  };
  await run(context, "mmdebstrap", [...options, from.codename, tar, ...mirrors], {
    onLine,
  });
}

/** GRUB's image for UEFI, at the removable path: Synology VMM keeps no EFI variables. */
async function makeEsp(context: StepContext, early: string, file: string): Promise<void> {
  const loader = join(context.scratch, "BOOTX64.EFI");
  await run(context, "grub-mkimage", [
    ...["-O", "x86_64-efi", "-p", "/boot/grub"],
    // Without its driver the screen stays dark until the end, whatever the kernel has.
    ...["-c", early, "-o", loader, "efi_gop", ...GRUB_MODULES],
  ]);
  await truncate(file, PARTITIONS.esp.sizeMib * MIB);
  await run(context, "mkfs.vfat", ["--invariant", "-F", "16", "-n", "UEFI", file]);
  await run(context, "mmd", ["-i", file, "::EFI", "::EFI/BOOT"]);
  await run(context, "mcopy", ["-i", file, loader, "::EFI/BOOT/BOOTX64.EFI"]);
}

/**
 * Puts GRUB's boot.img into sector 0 and core.img into the BIOS boot partition, and tells each where the next
 * part lies: offsets 0x5c and 0x66 of boot.img, 0x1f4 of core.img's first sector (GRUB's i386/pc boot.S, diskboot.S).
 */
async function installBiosGrub(context: StepContext, early: string, disk: string): Promise<void> {
  const core = join(context.scratch, "core.img");
  await run(context, "grub-mkimage", [
    ...["-O", "i386-pc", "-p", "/boot/grub"],
    ...["-c", early, "-o", core, "biosdisk", ...GRUB_MODULES],
  ]);
  const firstSector = (PARTITIONS.bios.startMib * MIB) / SECTOR;
  const boot = (await readFile(join(GRUB_PC, "boot.img"))).subarray(0, 440);
  boot.writeBigUInt64LE(BigInt(firstSector), 0x5c);
  boot.fill(0x90, 0x66, 0x68);
  const coreImage = await readFile(core);
  if (coreImage.length > PARTITIONS.bios.sizeMib * MIB)
    throw new Error("GRUB's core image does not fit its partition");
  coreImage.writeBigUInt64LE(BigInt(firstSector + 1), 0x1f4);
  const file = await open(disk, "r+");
  try {
    await file.write(boot, 0, boot.length, 0);
    await file.write(coreImage, 0, coreImage.length, firstSector * SECTOR);
  } finally {
    await file.close();
  }
}

async function makeDisk(context: StepContext, tar: string, disk: string): Promise<void> {
  const early = join(context.scratch, "early.cfg");
  await writeFile(
    early,
    `search --no-floppy --label ${ROOT_LABEL} --set=root\nset prefix=($root)/boot/grub\n`,
  );
  await writeFile(disk, "");
  await truncate(disk, DISK_MIB * MIB);
  const table = Object.values(PARTITIONS).map(
    ({ number, startMib, sizeMib, type }) =>
      `p${number} : start=${startMib}MiB, size=${sizeMib}MiB, type=${type}`,
  );
  await run(context, "sfdisk", ["--quiet", disk], { input: ["label: gpt", ...table, ""].join("\n") });

  const esp = join(context.scratch, "esp.img");
  await writeFile(esp, "");
  await makeEsp(context, early, esp);
  await run(context, "dd", [
    ...[`if=${esp}`, `of=${disk}`, "bs=1M", `seek=${PARTITIONS.esp.startMib}`],
    ...["conv=notrunc,sparse", "status=none"],
  ]);

  const tree = `${disk}.tree`;
  await mkdir(tree);
  const { startMib, sizeMib } = PARTITIONS.root;
  // fakeroot keeps the packages' owners without being root; device nodes come from devtmpfs at boot.
  const fill = `tar -xf "$1" -C "$2" --exclude='./dev/*' && mke2fs -q -t ext4 -L ${ROOT_LABEL} -d "$2" -E offset=${startMib * MIB} "$3" ${sizeMib}M`;
  await run(context, "fakeroot", ["sh", "-c", fill, "fill", tar, tree, disk]);
  await rm(tree, { recursive: true });
  await installBiosGrub(context, early, disk);
}

/**
 * Makes the demo's stand-in for Ubuntu's cloud image, with SHA256SUMS beside it, in `folder`.
 * It is made once; remove the folder to have it made again from today's packages.
 */
export async function makeBaseImage(context: StepContext, folder: string): Promise<string> {
  const image = join(folder, BASE_IMAGE);
  const from = await ingredients([__dirname]);
  if (isUpToDate(image, from)) return image;
  const work = await partialBeside(image);
  await mkdir(work, { recursive: true });
  const tar = join(work, "root.tar");
  const disk = join(work, "disk.raw");
  const { name } = ownDistribution();
  const count = layout.packages.length + 1;
  context.log(`base image from ${count} packages of ${name} and what they need: about a minute`);
  await rootTar(context, tar);
  context.log("making a disk of those files");
  await makeDisk(context, tar, disk);
  await run(context, "qemu-img", [
    ...["convert", "-O", "qcow2", "-c", "-o", "compression_type=zstd"],
    ...[disk, join(work, "disk.qcow2")],
  ]);
  await rename(join(work, "disk.qcow2"), image);
  await rm(work, { recursive: true });
  await writeWhole(join(folder, "SHA256SUMS"), `${await sha256File(image)} *${BASE_IMAGE}\n`);
  await noteMade(image, from);
  context.log(`base image: ${image}, ${Math.round((await stat(image)).size / MIB)} MiB`);
  return image;
}
