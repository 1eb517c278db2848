import {
  chmod,
  copyFile,
  cp,
  mkdir,
  readdir,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { partialBeside, sha256File, writeWhole } from "../../steps/lib/files";
import { run } from "../../steps/lib/process";
import type { StepContext } from "../../steps/lib/step";
import { ingredients, isMade, noteMade } from "../made";

/** File name of Talos's own release for machines of metal. */
export const TALOS_ISO = "metal-amd64.iso";

const NODE = join(__dirname, "..", "node");
/** Drivers of the NICs that QEMU and Synology VMM offer, each after what it needs: insmod resolves nothing. */
const MODULES = [
  "failover",
  "net_failover",
  "virtio_ring",
  "virtio",
  "virtio_pci_modern_dev",
  "virtio_pci_legacy_dev",
  "virtio_pci",
  "virtio_net",
  "pps_core",
  "ptp",
  "e1000",
  "e1000e",
  "af_packet",
];

async function find(folder: string, pattern: RegExp): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Unpacks Debian packages without installing them. */
async function unpack(context: StepContext, folder: string, packages: string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  // apt's own user may not write here; as root it may without the sandbox.
  await run(context, "apt-get", ["download", "-q", "-o", "APT::Sandbox::User=root", ...packages], {
    cwd: folder,
  });
  for (const name of await readdir(folder))
    if (name.endsWith(".deb")) await run(context, "dpkg-deb", ["-x", join(folder, name), folder]);
}

/** The package behind linux-image-amd64, which depends on one by version. */
async function kernelPackage(context: StepContext): Promise<string> {
  const { stdout } = await run(context, "apt-cache", ["depends", "linux-image-amd64"]);
  const found = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  if (!found) throw new Error("apt knows no linux-image-amd64: run apt-get update");
  return found;
}

async function makeInitramfs(
  context: StepContext,
  packages: string,
  tool: string,
  work: string,
): Promise<string> {
  const root = join(work, "root");
  for (const folder of ["bin", "sbin", "dev", "proc", "sys", "run", "tmp", "etc", "modules"])
    await mkdir(join(root, folder), { recursive: true });
  await copyFile(join(packages, "bin/busybox"), join(root, "bin/busybox"));
  await symlink("busybox", join(root, "bin/sh"));
  await copyFile(tool, join(root, "bin/node-tool"));
  await copyFile(join(NODE, "init"), join(root, "init"));
  await copyFile(join(NODE, "dhcp"), join(root, "dhcp"));
  for (const name of ["init", "dhcp", "bin/node-tool", "bin/busybox"]) await chmod(join(root, name), 0o755);
  const order: string[] = [];
  const all = await find(join(packages, "lib/modules"), /\.ko$/);
  for (const module of MODULES) {
    const file = all.find(
      (path) => basename(path) === `${module}.ko` || basename(path) === `${module.replaceAll("_", "-")}.ko`,
    );
    // What the kernel has built in is no file.
    if (!file) continue;
    await copyFile(file, join(root, "modules", basename(file)));
    order.push(basename(file));
  }
  await writeFile(join(root, "modules/order"), `${order.join("\n")}\n`);
  const names = (await readdir(root, { recursive: true })).sort();
  for (const name of names) await utimes(join(root, name), 0, 0).catch(() => undefined);
  const archive = join(work, "initramfs.xz");
  await run(
    context,
    "cpio",
    [
      "--create",
      "--quiet",
      "--format=newc",
      "--reproducible",
      "--owner=0:0",
      "--file",
      join(work, "initramfs.cpio"),
    ],
    {
      cwd: root,
      input: `${names.join("\n")}\n`,
    },
  );
  // Talos keeps the name of old and has zstd inside since 1.8.
  await run(context, "zstd", ["-q", "-10", "-T0", join(work, "initramfs.cpio"), "-o", archive]);
  return archive;
}

/** The whole of it as one EFI program, as Talos's Secureboot ISO has it: sections behind systemd's stub. */
async function makeUki(
  context: StepContext,
  stub: string,
  kernel: string,
  initramfs: string,
  uki: string,
): Promise<void> {
  const sections = [
    { name: ".linux", file: kernel, address: 0x2000000 },
    { name: ".initrd", file: initramfs, address: 0x4000000 },
  ];
  const flags = sections.flatMap(({ name, file, address }) => [
    "--add-section",
    `${name}=${file}`,
    "--change-section-vma",
    `${name}=${address}`,
  ]);
  await run(context, "objcopy", [...flags, stub, uki]);
}

/**
 * Makes an ISO laid out like Talos's metal-amd64.iso in `folder`, with sha256sum.txt beside it: a real kernel, and
 * an initramfs whose init does what Talos does first. With `uki`, an ISO that holds a unified kernel image only.
 *
 * @param tool the node-tool that set-up built
 */
export async function makeTalosIso(
  context: StepContext,
  folder: string,
  version: string,
  tool: string,
  uki = false,
): Promise<string> {
  const iso = join(folder, uki ? `uki-${TALOS_ISO}` : TALOS_ISO);
  const from = await ingredients([__dirname, NODE], version, await sha256File(tool));
  if (isMade(iso, from)) return iso;
  context.log(`Talos-shaped ISO ${relative(process.cwd(), iso)}`);
  const work = await partialBeside(iso);
  const packages = join(work, "packages");
  await unpack(context, packages, [
    await kernelPackage(context),
    "busybox-static",
    ...(uki ? ["systemd-boot-efi"] : []),
  ]);
  const kernel = (await find(join(packages, "boot"), /^vmlinuz-/))[0];
  if (!kernel) throw new Error("the kernel's package holds no /boot/vmlinuz-*");
  const initramfs = await makeInitramfs(context, packages, tool, work);

  const tree = join(work, "tree");
  if (uki) {
    await mkdir(join(tree, "EFI/Linux"), { recursive: true });
    await makeUki(
      context,
      join(packages, "usr/lib/systemd/boot/efi/linuxx64.efi.stub"),
      kernel,
      initramfs,
      join(tree, `EFI/Linux/Talos-${version}.efi`),
    );
  } else {
    await mkdir(join(tree, "boot/grub"), { recursive: true });
    await cp(kernel, join(tree, "boot/vmlinuz"));
    await cp(initramfs, join(tree, "boot/initramfs.xz"));
    await writeFile(join(tree, "boot/grub/grub.cfg"), "# The appliance never uses this file.\n");
  }
  const volume = `TALOS_${version
    .toUpperCase()
    .replaceAll(".", "_")
    .replace(/[^A-Z0-9_]/g, "")}`;
  await run(
    context,
    "xorriso",
    ["-as", "mkisofs", "-quiet", "-R", "-V", volume, "-o", join(work, "image.iso"), tree],
    { env: { SOURCE_DATE_EPOCH: "0" } },
  );
  await rename(join(work, "image.iso"), iso);
  await rm(work, { recursive: true });
  if (!uki) await writeWhole(join(folder, "sha256sum.txt"), `${await sha256File(iso)}  ${TALOS_ISO}\n`);
  await noteMade(iso, from);
  return iso;
}
