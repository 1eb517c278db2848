"use strict";

const { spawnSync } = require("node:child_process");
const {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} = require("node:fs");
const { join } = require("node:path");
const { TRANSFERS_S, listsHeld, updateLists } = require("./apt.cjs");
const { scratch, stillAtIt } = require("./context.cjs");
const { releaseName } = require("./distribution.cjs");
const { runTool, which } = require("./process.cjs");
const { heldStamp, recipeDigest, writeStamp } = require("./stamps.cjs");
const { ownFolders } = require("./tools.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {import("./tools.cjs").Failure} Failure */

/** Services whose programs check the rendered files: by program, the Debian package that has it. */
const CHECKERS = { dnsmasq: "dnsmasq-base", nginx: "nginx", chronyd: "chrony" };
/** What makes each say its version and do nothing else. @type {Record<string, string>} */
const ASKS = { dnsmasq: "--version", nginx: "-v", chronyd: "--version", "docker-registry": "--version" };

/**
 * Services whose programs are used without installing them, which would start the service.
 *
 * @typedef {object} Group
 * @property {string} name of the part of set-up, and of its folder in the cache
 * @property {Record<string, string>} programs with the Debian package that has each
 * @property {string} folder of the packages that has the programs
 */
/** @type {Group} */
const CHECKER_GROUP = { name: "checkers", programs: CHECKERS, folder: "usr/sbin" };
/** What an offline stack's images are kept by while they are fetched. @type {Group} */
const REGISTRY_GROUP = {
  name: "registry",
  programs: { "docker-registry": "docker-registry" },
  folder: "usr/bin",
};

/**
 * @param {string} program
 * @param {Group} group
 */
const wrapper = (program, { name, folder }) => `#!/bin/sh
# Extracted, not installed: this machine runs no such service.
root=$(dirname "$(readlink -f "$0")")/../${name}
export LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu"
exec "$root/${folder}/${program}" "$@"
`;

/**
 * The libraries are those of a release: its upgrade wants others.
 *
 * @param {string[]} programs
 * @param {Context} context
 * @param {Group} group
 */
const digestOf = (programs, context, group) =>
  recipeDigest([
    group.programs,
    programs,
    programs.map((program) => wrapper(program, group)),
    releaseName(context.osRelease),
  ]);

/**
 * Whether a checker starts: one whose libraries the system has no longer does not.
 *
 * @param {string} program
 * @param {string} path
 * @param {Context} context
 */
function starts(program, path, { env }) {
  const quiet = /** @type {const} */ ({ stdio: "ignore", timeout: 10_000 });
  return (
    spawnSync(path, [ASKS[program] ?? "--version"], { env: /** @type {any} */ (env), ...quiet }).status === 0
  );
}

/**
 * The programs that the machine itself has not, or not in working order.
 *
 * @param {Context} context
 * @param {Group} group
 */
function lacking(context, group) {
  const folders = ownFolders(context);
  return Object.keys(group.programs).filter((program) => {
    const own = which(program, folders);
    return !own || !starts(program, own, context);
  });
}

/**
 * Wrappers of an earlier set-up for what the machine has by now: they would come first on the tools' PATH.
 *
 * @param {string[]} programs what the machine lacks
 * @param {Context} context
 * @param {Group} group
 */
const needless = (programs, { cache }, group) =>
  Object.keys(group.programs)
    .filter((program) => !programs.includes(program))
    .map((program) => join(cache, "bin", program))
    .filter((wrapper) => existsSync(wrapper));

/**
 * @param {Context} context
 * @param {Group} [group]
 */
function checkersHeld(context, group = CHECKER_GROUP) {
  const programs = lacking(context, group);
  if (needless(programs, context, group).length > 0) return false;
  if (programs.length === 0) return true;
  if (!heldStamp(context.cache, group.name, digestOf(programs, context, group))) return false;
  return programs.every((program) => starts(program, join(context.cache, "bin", program), context));
}

/**
 * Fetches the Debian packages of a group and of the libraries that they need, and unpacks them into the
 * cache. No service is installed, and no root is needed once apt has its lists.
 *
 * @param {Context} context
 * @param {Group} [group]
 * @returns {Promise<Failure | undefined>}
 */
async function bringCheckers(context, group = CHECKER_GROUP) {
  const { env, cache, log } = context;
  const { name } = group;
  const programs = lacking(context, group);
  for (const wrapper of needless(programs, context, group)) rmSync(wrapper, { force: true });
  if (programs.length === 0) return undefined;
  const wanted = programs.map((program) => /** @type {string} */ (group.programs[program]));
  const [started, folder] = [Date.now(), scratch(context)];
  const title = `${name} ${programs.join(", ")}`;
  const busy = () => stillAtIt(context, title, started);
  try {
    if (!listsHeld()) await updateLists(context, busy);
    const plan = await runTool("apt-get", ["--simulate", "--no-install-recommends", "install", ...wanted], {
      env,
    });
    const closure = [...plan.matchAll(/^Inst (\S+)/gm)].map((found) => /** @type {string} */ (found[1]));
    const packages = closure.filter((name) => wanted.includes(name) || name.startsWith("lib"));
    log(`${title}: from ${packages.length} Debian packages, unpacked beside the tools`);
    await runTool("apt-get", ["-o", "Acquire::Retries=2", "download", ...packages], {
      ...{ env, cwd: folder, busy, limit: TRANSFERS_S },
    });
    const root = join(folder, "root");
    mkdirSync(root);
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb"))) {
      await runTool("dpkg-deb", ["--extract", join(folder, file), root], { env });
    }
    rmSync(join(cache, name), { recursive: true, force: true });
    renameSync(root, join(cache, name));
    mkdirSync(join(cache, "bin"), { recursive: true });
    for (const program of programs) {
      writeFileSync(join(folder, program), wrapper(program, group));
      chmodSync(join(folder, program), 0o755);
      renameSync(join(folder, program), join(cache, "bin", program));
    }
    const dead = programs.filter((program) => !starts(program, join(cache, "bin", program), context));
    if (dead.length > 0) throw new Error(`${dead.join(", ")} came with it, and does not start here`);
    const paths = programs.flatMap((program) => [
      join(cache, "bin", program),
      join(cache, name, group.folder, program),
    ]);
    writeStamp(cache, name, { recipe: digestOf(programs, context, group), from: "apt", version: "", paths });
  } catch (fault) {
    return { what: title, tried: [`apt-get download: ${/** @type {Error} */ (fault).message}`] };
  }
  log(`${title}: done, ${Math.round((Date.now() - started) / 1000)} s`);
  return undefined;
}

module.exports = { CHECKERS, REGISTRY_GROUP, bringCheckers, checkersHeld };
