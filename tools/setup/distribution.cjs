"use strict";

// What differs between the distributions that set-up and the demo run on. A path is looked for, never known.

const { existsSync, readFileSync } = require("node:fs");

/**
 * @typedef {object} Family distributions whose packages have the same names
 * @property {string} origin what its archive calls itself
 * @property {string[]} components of its archive, those that hold what the demo wants
 * @property {string} keyring of its archive, beside the keys in /etc/apt/trusted.gpg.d
 * @property {string} kernel the package that depends on the newest kernel for virtual machines and PCs
 */
/** @type {Record<string, Family>} */
const FAMILIES = {
  debian: {
    origin: "Debian",
    components: ["main"],
    keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
    kernel: "linux-image-amd64",
  },
  ubuntu: {
    origin: "Ubuntu",
    components: ["main", "universe"],
    keyring: "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
    kernel: "linux-image-virtual",
  },
};

/** Releases that the demo and the tests were run on, as ID and VERSION_ID of os-release(5) name them. */
const TRIED = new Map([
  ["debian 12", "Debian 12"],
  ["debian 13", "Debian 13"],
]);

/** What a kernel's module is packed with, by the end of its name: the program that unpacks it to stdout. */
const MODULE_PACKERS = { "": undefined, ".gz": "gzip", ".xz": "xz", ".zst": "zstd" };

/** Files of packages, wherever a release puts them. */
const IN_PACKAGES = {
  busybox: /(^|\/)bin\/busybox$/,
  kernel: /(^|\/)boot\/vmlinuz-[^/]+$/,
  builtinModules: /\/modules\.builtin$/,
};

/** Where GRUB for a BIOS lies. */
const GRUB_PC = "/usr/lib/grub/i386-pc";

/**
 * @typedef {object} Distribution
 * @property {string} name for a person
 * @property {string} codename of the release in its archive
 * @property {Family} family
 */

const OS_RELEASE = "/etc/os-release";

/**
 * @param {string} file os-release(5)
 * @returns {Record<string, string | undefined>} empty where there is none
 */
function fieldsOf(file) {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  return Object.fromEntries(
    [...text.matchAll(/^([A-Z_]+)=(["']?)(.*)\2$/gm)].map(([, key, , value]) => [key, value]),
  );
}

/**
 * A release by its names in os-release(5), such as `debian 13`.
 *
 * @param {string} [file] os-release(5)
 */
function releaseName(file = OS_RELEASE) {
  const { ID, VERSION_ID } = fieldsOf(file);
  return `${ID} ${VERSION_ID}`;
}

/**
 * The distribution that this machine runs.
 *
 * @param {string} [file] os-release(5)
 * @returns {Distribution | undefined} undefined where it is neither Debian nor made from it
 */
function distribution(file = OS_RELEASE) {
  const fields = fieldsOf(file);
  const { ID = "", ID_LIKE = "", PRETTY_NAME = ID } = fields;
  // The nearest relation comes first: Ubuntu's own descendants name Ubuntu, then Debian.
  const id = [ID, ...ID_LIKE.split(" ")].find((name) => name in FAMILIES);
  if (!id) return undefined;
  return {
    name: PRETTY_NAME,
    codename: fields[`${id.toUpperCase()}_CODENAME`] ?? fields.VERSION_CODENAME ?? "",
    family: /** @type {Family} */ (FAMILIES[id]),
  };
}

/**
 * A line for whoever sets this machine up, when nobody has tried its release.
 *
 * @param {string} [file] os-release(5)
 */
function untriedLine(file = OS_RELEASE) {
  const { ID, PRETTY_NAME = ID ?? "this system" } = fieldsOf(file);
  if (TRIED.has(releaseName(file))) return undefined;
  const tried = [...TRIED.values()].join(" and ");
  return `Nobody has tried ${PRETTY_NAME} yet (${tried} were tried). Set-up goes on; a program or a path may differ here.`;
}

/**
 * The archives that apt fetches this release from, in the form of mmdebstrap's MIRROR: the machine's own mirror,
 * updates and all, with its keyring. An empty list where apt names none; mmdebstrap then takes the public one.
 *
 * @param {Pick<Distribution, "family" | "codename">} distribution
 * @param {string} targets what `apt-get indextargets` prints
 * @returns {string[]}
 */
function archives({ family, codename }, targets) {
  /** @type {Map<string, string[]>} */
  const found = new Map();
  for (const paragraph of targets.split(/\n\s*\n/)) {
    const target = Object.fromEntries(
      [...paragraph.matchAll(/^([\w-]+): (.*)$/gm)].map(([, key, value]) => [key, value]),
    );
    const { Origin, Codename = "", Component = "", Release = "", Trusted } = target;
    const uri = target["Repo-URI"] ?? "";
    const isOurs =
      target["Created-By"] === "Packages" &&
      Origin === family.origin &&
      family.components.includes(Component) &&
      (Codename === codename || Codename.startsWith(`${codename}-`));
    if (!isOurs || Trusted !== "yes" || /-(backports|proposed)\b/.test(Release)) continue;
    // Inside the new root a folder of this machine is not there.
    if (/^(file|copy|cdrom):/.test(uri)) continue;
    // Before 3.0 apt does not tell it; mmdebstrap then takes the family's keyring and trusted.gpg.d.
    const keyring = /** @type {string | undefined} */ (target["Signed-By"]);
    const options = keyring?.startsWith("/") ? `[signed-by=${keyring}] ` : "";
    const line = `deb ${options}${uri} ${Release}`;
    found.set(line, [...new Set([...(found.get(line) ?? []), Component])]);
  }
  return [...found].map(([line, components]) => `${line} ${components.join(" ")}`);
}

/**
 * The packages that hold the newest kernel and its modules: Debian has both in one, Ubuntu in two.
 *
 * @param {string} wanted the package that depends on them
 * @param {(name: string) => Promise<string>} depends what `apt-cache depends` prints of a package; empty if apt has none
 */
async function kernelPackages(wanted, depends) {
  const packages = [wanted];
  for (const name of packages) {
    let isAlternative = false;
    for (const [, bar, needed = ""] of (await depends(name)).matchAll(/^ ([ |])(?:Pre)?Depends: (\S+)/gm)) {
      const isKernel = /^linux-(image|modules|binary)-/.test(needed);
      // Of alternatives the first is the usual one.
      if (!isAlternative && isKernel && !packages.includes(needed)) packages.push(needed);
      isAlternative = bar === "|";
    }
  }
  return packages.slice(1);
}

/**
 * How the kernel of unpacked packages has a module.
 *
 * @param {string} name
 * @param {string[]} files of the packages
 * @param {string} builtin the kernel's list modules.builtin
 * @returns {"built in" | { file: string, packer: string | undefined } | undefined} undefined if it has none of that name
 */
function kernelModule(name, files, builtin) {
  // The kernel takes a dash and an underscore for the same; a file has the one or the other.
  const pattern = `/${name.replaceAll(/[-_]/g, "[-_]")}\\.ko`;
  for (const [end, packer] of Object.entries(MODULE_PACKERS)) {
    const wanted = new RegExp(`${pattern}${end.replace(".", "\\.")}$`);
    const file = files.find((file) => wanted.test(file));
    if (file) return { file, packer };
  }
  return new RegExp(`${pattern}$`, "m").test(builtin) ? "built in" : undefined;
}

module.exports = {
  GRUB_PC,
  IN_PACKAGES,
  archives,
  distribution,
  kernelModule,
  kernelPackages,
  OS_RELEASE,
  releaseName,
  untriedLine,
};
