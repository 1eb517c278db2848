"use strict";

const { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { listsHeld, updateLists } = require("./apt.cjs");
const { scratch } = require("./context.cjs");
const { run, which } = require("./process.cjs");
const { heldStamp, recipeDigest, writeStamp } = require("./stamps.cjs");
const { ownFolders } = require("./tools.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {import("./tools.cjs").Failure} Failure */

/** Services whose programs check the rendered files: by program, the Debian package that has it. */
const CHECKERS = { dnsmasq: "dnsmasq-base", nginx: "nginx", chronyd: "chrony" };
const NAME = "checkers";

/** @param {string} program */
const wrapper = (program) => `#!/bin/sh
# Extracted, not installed: this machine runs no such service.
root=$(dirname "$(readlink -f "$0")")/../checkers
export LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu"
exec "$root/usr/sbin/${program}" "$@"
`;

/** @param {string[]} programs */
const digestOf = (programs) => recipeDigest([CHECKERS, programs, programs.map(wrapper)]);

/**
 * The programs that the machine itself has not.
 *
 * @param {Context} context
 */
function lacking(context) {
  const folders = ownFolders(context);
  return Object.keys(CHECKERS).filter((program) => !which(program, folders));
}

/** @param {Context} context */
function checkersHeld(context) {
  const programs = lacking(context);
  return programs.length === 0 || heldStamp(context.cache, NAME, digestOf(programs)) !== undefined;
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
  const wanted = programs.map((program) => CHECKERS[/** @type {keyof typeof CHECKERS} */ (program)]);
  const [started, folder] = [Date.now(), scratch(context)];
  const title = `checkers ${programs.join(", ")}`;
  const busy = () => log(`${title}: still at it`);
  try {
    if (!listsHeld()) await updateLists(context, busy);
    const plan = await run("apt-get", ["--simulate", "--no-install-recommends", "install", ...wanted], {
      env,
    });
    const closure = [...plan.matchAll(/^Inst (\S+)/gm)].map((found) => /** @type {string} */ (found[1]));
    const packages = closure.filter((name) => wanted.includes(name) || name.startsWith("lib"));
    log(`${title}: from ${packages.length} Debian packages, unpacked beside the tools`);
    await run("apt-get", ["-o", "Acquire::Retries=2", "download", ...packages], { env, cwd: folder, busy });
    const root = join(folder, "root");
    mkdirSync(root);
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb"))) {
      await run("dpkg-deb", ["--extract", join(folder, file), root], { env });
    }
    rmSync(join(cache, "checkers"), { recursive: true, force: true });
    // What the machine has by now: its wrapper would come first, and lead nowhere.
    for (const program of Object.keys(CHECKERS)) rmSync(join(cache, "bin", program), { force: true });
    renameSync(root, join(cache, "checkers"));
    mkdirSync(join(cache, "bin"), { recursive: true });
    for (const program of programs) {
      writeFileSync(join(folder, program), wrapper(program));
      chmodSync(join(folder, program), 0o755);
      renameSync(join(folder, program), join(cache, "bin", program));
    }
    const paths = programs.flatMap((program) => [
      join(cache, "bin", program),
      join(cache, "checkers/usr/sbin", program),
    ]);
    writeStamp(cache, NAME, { recipe: digestOf(programs), from: "apt", version: "", paths });
  } catch (fault) {
    return { what: title, tried: [`apt-get download: ${/** @type {Error} */ (fault).message}`] };
  }
  log(`${title}: done, ${Math.round((Date.now() - started) / 1000)} s`);
  return undefined;
}

module.exports = { CHECKERS, bringCheckers, checkersHeld };
