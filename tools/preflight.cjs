"use strict";

const { join } = require("node:path");
const { loaderFor } = require("../stack/talos-releases.cjs");
const { SYSTEM_PACKAGES } = require("./setup/apt.cjs");
const { CHECKERS, REGISTRY_GROUP } = require("./setup/checkers.cjs");
const { cacheFolder } = require("./setup/context.cjs");
const { searchPath, which } = require("./setup/process.cjs");
const { RECIPES } = require("./setup/recipes.cjs");

/**
 * Programs that the steps of a user's own stack run, by name.
 *
 * @param {boolean} offline whether it serves images
 */
const programsOf = (offline) => [
  ...RECIPES.filter(({ demo, tests, talos }) => !demo && !tests && !talos).flatMap(({ files }) => files),
  ...Object.keys(CHECKERS),
  ...(offline ? Object.keys(REGISTRY_GROUP.programs) : []),
  ...SYSTEM_PACKAGES.filter(({ demo, offline: isForImages }) => !demo && (offline || !isForImages)).flatMap(
    ({ has: [first = ""] }) => (first.startsWith("/") ? [] : [first]),
  ),
];

/**
 * One line on the programs that are neither in set-up's cache nor on the machine, and what brings them; undefined
 * when all are there. Looks for files only: no program is run, nothing is written.
 *
 * @param {string} talosVersion the stack's
 * @param {Record<string, string | undefined>} [env]
 * @param {boolean} [offline] whether the stack serves images
 * @returns {string | undefined}
 */
function missingLine(talosVersion, env = process.env, offline = false) {
  const folders = [join(cacheFolder(env), "bin"), ...searchPath(env)];
  // What is wrong with a version, the check of the config says.
  const loader = loaderFor(talosVersion)?.program;
  const isMissing = (/** @type {string} */ program) => !which(program, folders);
  const lacksLoader = loader !== undefined && isMissing(loader);
  const missing = [...programsOf(offline).filter(isMissing), ...(lacksLoader ? [loader] : [])];
  if (missing.length === 0) return undefined;
  // Set-up reads the stacks' files, and a version may come from elsewhere.
  const command = lacksLoader
    ? `npm run setup -- --for use --talos-version ${talosVersion}`
    : "npm run setup";
  return `missing: ${missing.join(", ")}; run \`${command}\``;
}

module.exports = { missingLine };
