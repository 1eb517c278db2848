"use strict";

const { join } = require("node:path");
const { SYSTEM_PACKAGES } = require("./setup/apt.cjs");
const { CHECKERS } = require("./setup/checkers.cjs");
const { cacheFolder } = require("./setup/context.cjs");
const { searchPath, which } = require("./setup/process.cjs");
const { RECIPES } = require("./setup/recipes.cjs");

/** Programs that the steps of a user's own stack run, by name. */
const PROGRAMS = [
  ...RECIPES.filter(({ demo, tests }) => !demo && !tests).flatMap(
    ({ files, front }) => front?.program ?? files,
  ),
  ...Object.keys(CHECKERS),
  ...SYSTEM_PACKAGES.filter(({ demo }) => !demo).flatMap(({ has: [first = ""] }) =>
    first.startsWith("/") ? [] : [first],
  ),
];

/**
 * One line on the programs that are neither in set-up's cache nor on the machine, and what brings them; undefined
 * when all are there. Looks for files only: no program is run, nothing is written.
 *
 * @param {Record<string, string | undefined>} [env]
 * @returns {string | undefined}
 */
function missingLine(env = process.env) {
  const folders = [join(cacheFolder(env), "bin"), ...searchPath(env)];
  const missing = PROGRAMS.filter((program) => !which(program, folders));
  return missing.length > 0 ? `missing: ${missing.join(", ")}; run \`npm run setup\`` : undefined;
}

module.exports = { missingLine };
