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
/** What makes each say its version and do nothing else. */
const ASKS = { dnsmasq: "--version", nginx: "-v", chronyd: "--version" };
const NAME = "checkers";

/** @param {string} program */
const wrapper = (program) => `#!/bin/sh
# Extracted, not installed: this machine runs no such service.
root=$(dirname "$(readlink -f "$0")")/../checkers
export LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu"
exec "$root/usr/sbin/${program}" "$@"
`;

/**
 * The libraries are those of a release: its upgrade wants others.
 *
 * @param {string[]} programs
 * @param {Context} context
 */
const digestOf = (programs, context) =>
  recipeDigest([CHECKERS, programs, programs.map(wrapper), releaseName(context.osRelease)]);

/**
 * Whether a checker starts: one whose libraries the system has no longer does not.
 *
 * @param {string} program
 * @param {string} path
 * @param {Context} context
 */
function starts(program, path, { env }) {
  const asks = ASKS[/** @type {keyof typeof ASKS} */ (program)];
  const quiet = /** @type {const} */ ({ stdio: "ignore", timeout: 10_000 });
  return spawnSync(path, [asks], { env: /** @type {any} */ (env), ...quiet }).status === 0;
}

/**
 * The programs that the machine itself has not, or not in working order.
 *
 * @param {Context} context
 */
function lacking(context) {
  const folders = ownFolders(context);
  return Object.keys(CHECKERS).filter((program) => {
    const own = which(program, folders);
    return !own || !starts(program, own, context);
  });
}

/**
 * Wrappers of an earlier set-up for what the machine has by now: they would come first on the tools' PATH.
 *
 * @param {string[]} programs what the machine lacks
 * @param {Context} context
 */
const needless = (programs, { cache }) =>
  Object.keys(CHECKERS)
    .filter((program) => !programs.includes(program))
    .map((program) => join(cache, "bin", program))
    .filter((wrapper) => existsSync(wrapper));

/** @param {Context} context */
function checkersHeld(context) {
  const programs = lacking(context);
  if (needless(programs, context).length > 0) return false;
  if (programs.length === 0) return true;
  if (!heldStamp(context.cache, NAME, digestOf(programs, context))) return false;
  return programs.every((program) => starts(program, join(context.cache, "bin", program), context));
}

/**
 * Fetches the Debian packages of the checkers and of the libraries that they need, and unpacks them into the
 * cache. No service is installed, and no root is needed once apt has its lists.
 *
 * @param {Context} context
 * @returns {Promise<Failure | undefined>}
 */
async function bringCheckers(context) {
  const { env, cache, log } = context;
  const programs = lacking(context);
  for (const wrapper of needless(programs, context)) rmSync(wrapper, { force: true });
  if (programs.length === 0) return undefined;
  const wanted = programs.map((program) => CHECKERS[/** @type {keyof typeof CHECKERS} */ (program)]);
  const [started, folder] = [Date.now(), scratch(context)];
  const title = `checkers ${programs.join(", ")}`;
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
    rmSync(join(cache, "checkers"), { recursive: true, force: true });
    renameSync(root, join(cache, "checkers"));
    mkdirSync(join(cache, "bin"), { recursive: true });
    for (const program of programs) {
      writeFileSync(join(folder, program), wrapper(program));
      chmodSync(join(folder, program), 0o755);
      renameSync(join(folder, program), join(cache, "bin", program));
    }
    const dead = programs.filter((program) => !starts(program, join(cache, "bin", program), context));
    if (dead.length > 0) throw new Error(`${dead.join(", ")} came with it, and does not start here`);
    const paths = programs.flatMap((program) => [
      join(cache, "bin", program),
      join(cache, "checkers/usr/sbin", program),
    ]);
    writeStamp(cache, NAME, { recipe: digestOf(programs, context), from: "apt", version: "", paths });
  } catch (fault) {
    return { what: title, tried: [`apt-get download: ${/** @type {Error} */ (fault).message}`] };
  }
  log(`${title}: done, ${Math.round((Date.now() - started) / 1000)} s`);
  return undefined;
}

module.exports = { CHECKERS, bringCheckers, checkersHeld };
