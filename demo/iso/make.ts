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
import { join, relative } from "node:path";
import { partialBeside, sha256File, writeWhole } from "../../steps/store/files";
import { volumeIdOf } from "../../steps/talos/iso-version";
import { run } from "../../steps/programs/process";
import type { StepContext } from "../../steps/frame/context";
import { StepError } from "../../steps/frame/step-error";
import { distribution, kernelPackages } from "../../tools/setup/distribution.cjs";
import { ingredients, isUpToDate, noteMade } from "../made";
import { collectModules, fileOf, MAKING, type Unpacked } from "./unpacked";

/** File name of Talos's own release for bare metal. */
export const TALOS_ISO = "metal-amd64.iso";

const NODE = join(__dirname, "..", "node");
/** Drivers of the NICs that QEMU and Synology VMM offer, raw sockets for the node's DHCP, and the virtual mini-PC's disk. */
export const DRIVERS = ["virtio_pci", "virtio_net", "e1000", "e1000e", "af_packet", "nvme"];

/** What Talos 1.11 boots its kernel with on metal (siderolabs/talos, pkg/machinery/kernel). */
const KERNEL_LINE =
  "talos.platform=metal console=tty0 init_on_alloc=1 slab_nomerge= pti=on consoleblank=0 " +
  "nvme_core.io_timeout=4294967295 printk.devkmsg=on selinux=1";

/** Unpacks Debian packages without installing them. */
async function unpack(context: StepContext, folder: string, names: string[]): Promise<Unpacked> {
  await mkdir(folder, { recursive: true });
  // apt's own user may not write here; as root it may without the sandbox.
  await run(context, "apt-get", ["download", "-q", "-o", "APT::Sandbox::User=root", ...names], {
    cwd: folder,
  });
  for (const name of await readdir(folder))
    if (name.endsWith(".deb")) await run(context, "dpkg-deb", ["-x", join(folder, name), folder]);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    // Before Node 20.12 an entry has no parentPath.
    .map(({ parentPath, path, name }) => join(parentPath ?? path, name));
  return { names, files };
}

/** The packages of this release's newest kernel. */
async function newestKernel(context: StepContext): Promise<string[]> {
  const found = distribution();
  const wanted = found?.family.kernel ?? "linux-image-amd64";
  const packages = await kernelPackages(wanted, async (name) => {
    const asked = run(context, "apt-cache", ["depends", name], { env: { LC_ALL: "C" } });
    // apt-cache fails for a package that it does not know.
    return (await asked.catch(() => ({ stdout: "" }))).stdout;
  });
  context.signal.throwIfAborted();
  if (packages.length > 0) return packages;
  throw new StepError(
    MAKING,
    `apt knows no package ${wanted} that depends on a kernel`,
    "Run `sudo apt-get update`; if this release names it otherwise, correct tools/setup/distribution.cjs",
  );
}

async function makeInitramfs(
  context: StepContext,
  packages: Unpacked,
  tool: string,
  work: string,
): Promise<string> {
  const root = join(work, "root");
  for (const folder of ["bin", "sbin", "dev", "proc", "sys", "run", "tmp", "etc", "modules"])
    await mkdir(join(root, folder), { recursive: true });
  await copyFile(fileOf(packages, "busybox"), join(root, "bin/busybox"));
  await symlink("busybox", join(root, "bin/sh"));
  await copyFile(tool, join(root, "bin/node-tool"));
  await copyFile(join(NODE, "init"), join(root, "init"));
  await copyFile(join(NODE, "dhcp"), join(root, "dhcp"));
  for (const name of ["init", "dhcp", "bin/node-tool", "bin/busybox"]) await chmod(join(root, name), 0o755);
  const order = await collectModules(context, packages, DRIVERS, join(root, "modules"));
  await writeFile(join(root, "modules/order"), `${order.join("\n")}\n`);
  const names = (await readdir(root, { recursive: true })).sort();
  for (const name of names) await utimes(join(root, name), 0, 0).catch(() => undefined);
  const archive = join(work, "initramfs.xz");
  await run(
    context,
    "cpio",
    [
      ...["--create", "--quiet", "--format=newc", "--reproducible", "--owner=0:0"],
      ...["--file", join(work, "initramfs.cpio")],
    ],
    {
      cwd: root,
      input: `${names.join("\n")}\n`,
    },
  );
  // Talos keeps the old name, and has zstd inside since 1.8.
  await run(context, "zstd", ["-q", "-10", "-T0", join(work, "initramfs.cpio"), "-o", archive]);
  return archive;
}

/**
 * Makes an ISO laid out like Talos's metal-amd64.iso in `folder`, with sha256sum.txt beside it: a real kernel, and
 * an initramfs whose init does what Talos does first.
 *
 * @param tool the node-tool that set-up built
 */
export async function makeTalosIso(
  context: StepContext,
  folder: string,
  version: string,
  tool: string,
): Promise<string> {
  const iso = join(folder, TALOS_ISO);
  const from = await ingredients([__dirname, NODE], version, await sha256File(tool));
  if (isUpToDate(iso, from)) return iso;
  context.log(`Talos-shaped ISO ${relative(process.cwd(), iso)}`);
  const work = await partialBeside(iso);
  const packages = await unpack(context, join(work, "packages"), [
    ...(await newestKernel(context)),
    "busybox-static",
  ]);
  const kernel = fileOf(packages, "kernel");
  const initramfs = await makeInitramfs(context, packages, tool, work);

  const tree = join(work, "tree");
  await mkdir(join(tree, "boot/grub"), { recursive: true });
  await cp(kernel, join(tree, "boot/vmlinuz"));
  await cp(initramfs, join(tree, "boot/initramfs.xz"));
  const entry = `linux /boot/vmlinuz ${KERNEL_LINE} talos.halt_if_installed=1\n\tinitrd /boot/initramfs.xz`;
  await writeFile(join(tree, "boot/grub/grub.cfg"), `menuentry "Talos ISO" {\n\t${entry}\n}\n`);
  const volume = volumeIdOf(`Talos-${version}`);
  await run(
    context,
    "xorriso",
    ["-as", "mkisofs", "-quiet", "-R", "-V", volume, "-o", join(work, "image.iso"), tree],
    { env: { SOURCE_DATE_EPOCH: "0" } },
  );
  await rename(join(work, "image.iso"), iso);
  await rm(work, { recursive: true });
  await writeWhole(join(folder, "sha256sum.txt"), `${await sha256File(iso)}  ${TALOS_ISO}\n`);
  await noteMade(iso, from);
  return iso;
}
