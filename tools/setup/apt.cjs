"use strict";

const { once } = require("node:events");
const { existsSync, readdirSync } = require("node:fs");
const { createInterface } = require("node:readline/promises");
const { GRUB_PC } = require("./distribution.cjs");
const { runTool, searchPath, which } = require("./process.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {(seconds: number) => void} Busy */
/** @typedef {{ apt: string, has: string[], demo?: true, offline?: true }} SystemPackage has: programs or files, any of which shows that it is there; offline: only an offline stack wants it */

// Another apt may be at work, and registries stumble.
const PATIENT = ["-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=2"];

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
  { apt: "systemd", has: ["journalctl"] },
  { apt: "binutils", has: ["objcopy"], demo: true },
  { apt: "busybox-static", has: ["busybox"] },
  { apt: "zstd", has: ["zstd"] },
  { apt: "xz-utils", has: ["xz"] },
  { apt: "libdeflate-tools", has: ["libdeflate-gzip"] },
  { apt: "age", has: ["age-keygen"] },
  { apt: "nftables", has: ["nft"] },
  { apt: "netplan.io", has: ["netplan"] },
  { apt: "skopeo", has: ["skopeo"], offline: true },
  { apt: "cpio", has: ["cpio"], demo: true },
  { apt: "openssl", has: ["openssl"], demo: true },
  { apt: "shellcheck", has: ["shellcheck"], demo: true },
  { apt: "mmdebstrap", has: ["mmdebstrap"], demo: true },
  { apt: "fakeroot", has: ["fakeroot"], demo: true },
  { apt: "uidmap", has: ["newuidmap"], demo: true },
  { apt: "grub-common", has: ["grub-mkimage"], demo: true },
  { apt: "grub-pc-bin", has: [`${GRUB_PC}/kernel.img`], demo: true },
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
 * @param {{ demo: boolean, offline?: boolean }} scope
 * @param {Context} context
 */
function missingPackages({ demo, offline = false }, context) {
  return SYSTEM_PACKAGES.filter(
    (wanted) => (demo || !wanted.demo) && (offline || !wanted.offline) && !isThere(wanted, context),
  ).map(({ apt }) => apt);
}

/** @param {string} question */
async function agreed(question) {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // At the end of input (Ctrl-D) a question is never answered.
  const ended = once(terminal, "close").then(() => "no");
  const answer = await Promise.race([terminal.question(question), ended]);
  terminal.close();
  return /^(y|yes|)$/i.test(answer.trim());
}

/**
 * Whether apt has lists of packages; without, it finds none.
 */
function listsHeld() {
  const folder = "/var/lib/apt/lists";
  return existsSync(folder) && readdirSync(folder).some((name) => name.includes("_Packages"));
}

/** An answer of a person that ends set-up. */
class Declined extends Error {}

/** Seconds after which apt's transfers are given up: its own limit ends those that are silent, not those that drip. */
const TRANSFERS_S = 60 * 60;

/** @param {Context} context */
const mayBeRoot = ({ env }) => process.getuid?.() === 0 || which("sudo", searchPath(env)) !== undefined;

/**
 * Runs a command of apt or dpkg as root.
 *
 * @param {string[]} command
 * @param {Context} context
 * @param {Busy} busy
 */
async function asRoot(command, { env, ask }, busy, /** @type {number | undefined} */ limit = undefined) {
  const sudo = process.getuid?.() === 0 ? [] : ["sudo", ...(ask ? [] : ["--non-interactive"])];
  const [program, ...args] = [...sudo, "env", "DEBIAN_FRONTEND=noninteractive", ...command];
  await runTool(/** @type {string} */ (program), args, { env, busy, outlive: true, terminal: ask, limit });
}

/**
 * @param {Context} context
 * @param {Busy} busy
 */
async function updateLists(context, busy) {
  if (!which("apt-get", searchPath(context.env))) throw new Error("apt-get is not on this machine");
  if (!mayBeRoot(context)) throw new Error("this user is not root and has no sudo; as root: apt-get update");
  await asRoot(["apt-get", ...PATIENT, "update"], context, busy, TRANSFERS_S);
}

/** @param {string[]} packages */
const byHand = (packages) => `apt-get install --no-install-recommends ${packages.join(" ")}`;

/** @param {string} command that root runs */
const asUser = (command) => (process.getuid?.() === 0 ? command : `sudo ${command}`);

/**
 * Why this user cannot install packages, with what to ask for; undefined where they can.
 *
 * @param {string[]} packages
 * @param {Context} context
 * @param {string} [also] a command that root has to run besides
 */
function installRefusal(packages, context, also) {
  if (!which("apt-get", searchPath(context.env))) return "apt-get is not on this machine";
  if (mayBeRoot(context)) return undefined;
  return `this user is not root and has no sudo; ask who administers this machine to run: ${["apt-get update", byHand(packages), ...(also ? [also] : [])].join(" && ")}`;
}

/**
 * Installs Debian packages, after asking where a person can be asked.
 *
 * @param {string[]} packages
 * @param {Context} context
 * @param {Busy} busy
 * @throws Error that says the command to type instead
 */
async function installPackages(packages, context, busy) {
  const { ask, log } = context;
  const refusal = installRefusal(packages, context);
  if (refusal) throw new Error(refusal);
  log(`System packages to install with apt-get: ${packages.join(" ")}`);
  if (ask && !(await agreed("Install them? [Y/n] ")))
    throw new Declined(`installing was declined; by hand: ${asUser(byHand(packages))}`);
  const apt = ["apt-get", ...PATIENT, "install", "--yes", "--no-install-recommends"];
  const install = async () => {
    // What unpacks and configures must not be stopped, so the transfers go first.
    await asRoot([...apt, "--download-only", ...packages], context, busy, TRANSFERS_S);
    await asRoot([...apt, ...packages], context, busy);
  };
  try {
    await install().catch(async (fault) => {
      // A killed dpkg has to be let finish; else the lists are missing or old.
      if (/dpkg --configure -a/.test(fault.message))
        await asRoot(["dpkg", "--configure", "-a"], context, busy);
      else await updateLists(context, busy);
      await install();
    });
  } catch (fault) {
    throw new Error(`${/** @type {Error} */ (fault).message}; by hand: ${asUser(byHand(packages))}`);
  }
}

module.exports = {
  Declined,
  TRANSFERS_S,
  SYSTEM_PACKAGES,
  installRefusal,
  missingPackages,
  listsHeld,
  updateLists,
  installPackages,
};
