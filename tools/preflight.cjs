"use strict";

const { join } = require("node:path");
const { cacheFolder } = require("./setup/context.cjs");
const { searchPath, which } = require("./setup/process.cjs");

/**
 * Those of the programs that are neither in set-up's cache nor on the machine. Looks for files only: no program is
 * run, nothing is written.
 *
 * @param {string[]} programs
 * @param {Record<string, string | undefined>} [env]
 * @returns {string[]}
 */
function missingTools(programs, env = process.env) {
  const folders = [join(cacheFolder(env), "bin"), ...searchPath(env)];
  return programs.filter((program) => !which(program, folders));
}

/**
 * One line on what is missing and what brings it, or undefined.
 *
 * @param {string[]} programs
 * @param {Record<string, string | undefined>} [env]
 * @returns {string | undefined}
 */
function missingLine(programs, env) {
  const missing = missingTools(programs, env);
  return missing.length > 0 ? `missing: ${missing.join(", ")}; run \`npm run setup\`` : undefined;
}

module.exports = { missingTools, missingLine };
