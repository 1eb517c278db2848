"use strict";

const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { runTool } = require("./process.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {Record<string, { version?: string, integrity?: string, optional?: boolean }>} Packages */

/** npm gives up on a silent server; one that drips would hold it for ever. */
const LIMIT_S = 20 * 60;

/**
 * @param {string} path
 * @returns {Packages}
 */
const packagesIn = (path) => JSON.parse(readFileSync(path, "utf8")).packages;

/**
 * Whether node_modules holds what package-lock.json says. npm writes its own list there as the last thing it
 * does, so a killed install does not pass.
 *
 * @param {string} top
 */
function dependenciesHeld(top) {
  try {
    const installed = packagesIn(join(top, "node_modules", ".package-lock.json"));
    return Object.entries(packagesIn(join(top, "package-lock.json"))).every(([path, wanted]) => {
      const there = installed[path];
      // Optional packages are those of other platforms.
      if (!there) return path === "" || wanted.optional === true;
      return there.version === wanted.version && there.integrity === wanted.integrity;
    });
  } catch {
    return false;
  }
}

/**
 * `npm ci`, without install scripts: no dependency needs one here, and those of Pulumi's SDKs fetch plugins.
 *
 * @param {Context} context
 * @param {(seconds: number) => void} busy
 */
async function installDependencies({ env, top }, busy) {
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await runTool("npm", ["ci", ...quiet, "--fetch-timeout=60000"], { env, cwd: top, busy, limit: LIMIT_S });
}

module.exports = { dependenciesHeld, installDependencies };
