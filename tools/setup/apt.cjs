"use strict";

const { existsSync } = require("node:fs");
const { createInterface } = require("node:readline/promises");
const { run, searchPath, which } = require("./process.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {{ apt: string, has: string[], demo?: true }} SystemPackage has: programs or files, any of which shows that it is there */

/** @type {SystemPackage[]} */
const SYSTEM_PACKAGES = [
  { apt: "ca-certificates", has: ["/etc/ssl/certs/ca-certificates.crt"] },
  { apt: "curl", has: ["curl"] },
  { apt: "git", has: ["git"] },
  { apt: "openssh-client", has: ["ssh-keygen"] },
  { apt: "qemu-system-x86", has: ["qemu-system-x86_64"] },
  { apt: "qemu-utils", has: ["qemu-img"] },
  { apt: "ovmf", has: ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_CODE.fd"] },
  { apt: "xorriso", has: ["xorriso"] },
  { apt: "squashfs-tools", has: ["sqfstar"] },
  { apt: "mtools", has: ["mcopy"] },
  { apt: "dosfstools", has: ["mkfs.vfat"] },
  { apt: "fdisk", has: ["sfdisk"] },
  { apt: "e2fsprogs", has: ["resize2fs"] },
  { apt: "binutils", has: ["objcopy"] },
  { apt: "busybox-static", has: ["busybox"] },
  { apt: "zstd", has: ["zstd"] },
  { apt: "xz-utils", has: ["xz"] },
  { apt: "age", has: ["age-keygen"] },
  { apt: "nftables", has: ["nft"] },
  { apt: "netplan.io", has: ["netplan"] },
  { apt: "cpio", has: ["cpio"], demo: true },
  { apt: "mmdebstrap", has: ["mmdebstrap"], demo: true },
  { apt: "fakeroot", has: ["fakeroot"], demo: true },
  { apt: "uidmap", has: ["newuidmap"], demo: true },
  { apt: "grub-common", has: ["grub-mkimage"], demo: true },
  { apt: "grub-pc-bin", has: ["/usr/lib/grub/i386-pc/kernel.img"], demo: true },
  { apt: "grub-efi-amd64-bin", has: ["/usr/lib/grub/x86_64-efi/kernel.img"], demo: true },
];

/**
 * @param {SystemPackage} wanted
 * @param {Context} context
 */
function isThere({ has }, { env }) {
  return has.some((what) => (what.startsWith("/") ? existsSync(what) : which(what, searchPath(env))));
}

/**
 * The Debian packages whose programs this machine lacks.
 *
 * @param {{ demo: boolean }} scope
 * @param {Context} context
 */
function missingPackages({ demo }, context) {
  return SYSTEM_PACKAGES.filter((wanted) => (demo || !wanted.demo) && !isThere(wanted, context)).map(
    ({ apt }) => apt,
  );
}

/** @param {string} question */
async function agreed(question) {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(question);
  terminal.close();
  return /^(y|yes|)$/i.test(answer.trim());
}

/**
 * Installs Debian packages, after asking where a person can be asked.
 *
 * @param {string[]} packages
 * @param {Context} context
 * @param {(seconds: number) => void} busy
 * @throws Error that says the command to type instead
 */
async function installPackages(packages, { env, ask, log }, busy) {
  if (!which("apt-get", searchPath(env))) throw new Error("apt-get is not on this machine");
  const isRoot = process.getuid?.() === 0;
  log(`System packages to install with apt-get: ${packages.join(" ")}`);
  if (ask && !(await agreed("Install them? [Y/n] "))) throw new Error("installing was declined");
  const sudo = isRoot ? [] : ["sudo", ...(ask ? [] : ["--non-interactive"])];
  /** @param {string[]} command */
  const asRoot = async (...command) => {
    const [program, ...args] = [...sudo, "env", "DEBIAN_FRONTEND=noninteractive", ...command];
    await run(/** @type {string} */ (program), args, { env, busy, outlive: true, terminal: ask });
  };
  const wait = ["-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=2"];
  const install = () =>
    asRoot("apt-get", ...wait, "install", "--yes", "--no-install-recommends", ...packages);
  try {
    await install().catch(async (fault) => {
      // A killed dpkg has to be let finish; else the lists are missing or old.
      if (/dpkg --configure -a/.test(fault.message)) await asRoot("dpkg", "--configure", "-a");
      else await asRoot("apt-get", ...wait, "update");
      await install();
    });
  } catch (fault) {
    throw new Error(
      `${/** @type {Error} */ (fault).message}; by hand: sudo apt-get install ${packages.join(" ")}`,
    );
  }
}

module.exports = { SYSTEM_PACKAGES, missingPackages, installPackages };
