"use strict";

const { spawnSync } = require("node:child_process");
const { existsSync, readdirSync, readFileSync } = require("node:fs");
const { basename, join } = require("node:path");
const { folderOfBackend } = require("./environment.cjs");

/** @typedef {import("./process.cjs").Env} Env */
/** @typedef {{ type: string, inputs?: Record<string, unknown>, outputs?: Record<string, unknown> }} Resource */
/** @typedef {{ deployment: { resources?: Resource[] } }} Exported what `pulumi stack export` prints */

/**
 * The state of a stack, without the folder that each step of it once named: a moved checkout does not have it any more, and a
 * copied one must leave it alone.
 *
 * @param {Exported} state
 * @returns {Exported}
 */
function withoutFolders(state) {
  const without = (/** @type {Record<string, unknown> | undefined} */ properties) =>
    properties && Object.fromEntries(Object.entries(properties).filter(([key]) => key !== "dir"));
  const resources = state.deployment.resources?.map((resource) =>
    resource.type === "command:local:Command"
      ? { ...resource, inputs: without(resource.inputs), outputs: without(resource.outputs) }
      : resource,
  );
  return { ...state, deployment: { ...state.deployment, resources } };
}

/**
 * The stacks of a file backend whose state names a folder for its steps.
 *
 * @param {Env} env
 */
function stacksWithFolders(env) {
  const folder = folderOfBackend(env, "stacks", "bootstrap-pxe");
  if (!folder || !existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .filter((name) => /"dir":\s*"\//.test(readFileSync(join(folder, name), "utf8")))
    .map((name) => basename(name, ".json"));
}

/**
 * Carries the states over that were made when a step named the folder of its checkout. What cannot be read is left to Pulumi
 * to explain.
 *
 * @param {Env} env
 * @param {string} cwd
 * @param {(line: string) => void} log
 * @param {(stack: string) => boolean} isBusy whether a run is at work on a stack
 */
function carryOverStates(env, cwd, log, isBusy) {
  for (const stack of stacksWithFolders(env).filter((stack) => !isBusy(stack))) {
    const pulumi = (/** @type {string} */ what, /** @type {string} */ input) =>
      spawnSync("pulumi", ["stack", what, "--stack", stack], {
        env: /** @type {any} */ (env),
        cwd,
        input,
        encoding: "utf8",
        maxBuffer: 1 << 28,
      });
    const { status, stdout } = pulumi("export", "");
    if (status !== 0 || pulumi("import", JSON.stringify(withoutFolders(JSON.parse(stdout)))).status !== 0)
      continue;
    log(`The state of the stack ${stack} named a folder for its steps; now they work in this checkout.`);
  }
}

module.exports = { carryOverStates, stacksWithFolders, withoutFolders };
