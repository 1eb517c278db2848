"use strict";

const { randomBytes } = require("node:crypto");
const { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { homedir } = require("node:os");
const { join } = require("node:path");
const { searchPath } = require("./setup/process.cjs");
const { standInFolder } = require("./setup/stand-ins.cjs");

/** @typedef {import("./setup/context.cjs").Context} Context */
/** @typedef {import("./setup/process.cjs").Env} Env */

/** @param {Env} env */
function hasBackend(env) {
  if (env.PULUMI_BACKEND_URL || env.PULUMI_ACCESS_TOKEN) return true;
  const home = env.PULUMI_HOME || join(env.HOME || homedir(), ".pulumi");
  try {
    return Boolean(JSON.parse(readFileSync(join(home, "credentials.json"), "utf8")).current);
  } catch {
    return false;
  }
}

/**
 * A random passphrase in a file that only this user reads, made once for a checkout.
 *
 * @param {Context} context
 */
function passphraseFile({ top, log }) {
  const path = join(top, ".pulumi-passphrase");
  if (existsSync(path)) return path;
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, randomBytes(24).toString("base64url"), { mode: 0o600 });
  try {
    // A link refuses to replace: of two that start at once, both end with the same passphrase.
    linkSync(partial, path);
    log(`A passphrase for this checkout's stacks was made: ${path}. Keep it as long as they live.`);
  } catch (fault) {
    if (/** @type {NodeJS.ErrnoException} */ (fault).code !== "EEXIST") throw fault;
  } finally {
    rmSync(partial, { force: true });
  }
  return path;
}

/**
 * The environment that the tools run in. Unless another backend is logged in, the state goes to a folder in the
 * checkout, which is made here, with its passphrase.
 *
 * @param {Context} context
 * @param {{ standIns: boolean }} options standIns: serve plugins by the stand-ins, as `standIns()` tells
 * @returns {Env}
 */
function toolEnvironment(context, { standIns }) {
  const { env, top, cache } = context;
  const folders = [join(cache, "bin"), ...searchPath(env), ...(standIns ? [standInFolder(top)] : [])];
  /** @type {Env} */
  const made = {
    ...env,
    PATH: [...new Set(folders)].join(":"),
    PACKER_PLUGIN_PATH: join(cache, "packer-plugins"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // The language host of set-up loads ts-node whatever Pulumi.yaml says, which would check the types of the bundled program for ten seconds.
    TS_NODE_IGNORE: "/node_modules/,\\.cjs$",
    // A stack file without a salt, as the demo's is committed, takes it from the state.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    ...(standIns && { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" }),
  };
  if (hasBackend(env)) return made;
  const state = join(top, ".pulumi-state");
  mkdirSync(state, { recursive: true });
  made.PULUMI_BACKEND_URL = `file://${state}`;
  if (env.PULUMI_CONFIG_PASSPHRASE === undefined && !env.PULUMI_CONFIG_PASSPHRASE_FILE) {
    made.PULUMI_CONFIG_PASSPHRASE_FILE = passphraseFile(context);
  }
  return made;
}

module.exports = { toolEnvironment };
