"use strict";

const { existsSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const { installPackages, listsHeld, missingPackages, updateLists } = require("./apt.cjs");
const { bringCheckers, checkersHeld } = require("./checkers.cjs");
const { untriedLine } = require("./distribution.cjs");
const { knownGo, sweepGo } = require("./go.cjs");
const { withLock } = require("./lock.cjs");
const { dependenciesHeld, installDependencies } = require("./npm.cjs");
const { bringPackerPlugin, pluginHeld } = require("./packer-plugin.cjs");
const { hasPip } = require("./pip.cjs");
const { RECIPES } = require("./recipes.cjs");
const { bringTool, isHeld } = require("./tools.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {import("./tools.cjs").Failure} Failure */
/** @typedef {{ demo: boolean, tests?: boolean }} Scope demo: what the demo and the tests want, too; tests: what only they want */
/** @typedef {{ held: () => boolean, bring: () => Promise<Failure | undefined> }} Part */

/**
 * @param {string} what
 * @param {string} how
 * @param {(busy: () => void) => Promise<void>} work
 * @param {Context} context
 * @returns {Promise<Failure | undefined>}
 */
async function timed(what, how, work, { log }) {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  log(`${what}: ${how}`);
  try {
    await work(() => log(`${what}: still at it, ${seconds()} s`));
  } catch (fault) {
    return { what, tried: [`${how}: ${/** @type {Error} */ (fault).message}`] };
  }
  log(`${what}: done, ${seconds()} s`);
  return undefined;
}

/**
 * What set-up brings, in order.
 *
 * @param {Scope} scope
 * @param {Context} context
 * @returns {Part[]}
 */
function parts(scope, context) {
  const { top } = context;
  const recipes = RECIPES.filter(
    ({ demo, tests, builds = [] }) =>
      (scope.demo || !demo) &&
      (scope.tests || !tests) &&
      builds.every(({ folder }) => existsSync(join(top, folder))),
  );
  const system = () => {
    const packages = missingPackages(scope, context);
    // What is always built wants Go, and pip where the machine has none.
    const built = recipes.some((recipe) => (recipe.demo || recipe.tests) && !isHeld(recipe, context));
    return built && !knownGo(context) && !hasPip(context) ? [...packages, "python3-pip"] : packages;
  };
  return [
    {
      held: () => dependenciesHeld(top),
      bring: () => timed("npm dependencies", "npm ci", (busy) => installDependencies(context, busy), context),
    },
    {
      held: () => missingPackages(scope, context).length === 0,
      bring: async () => {
        const failure = await timed(
          "system packages",
          "apt-get",
          (busy) => installPackages(system(), context, busy),
          context,
        );
        const still = missingPackages(scope, context);
        if (still.length === 0) return undefined;
        // A release of the system may have a package without the program that is wanted of it.
        const tried = failure?.tried ?? [
          "apt-get: ended well, but a program that is wanted of them is not there",
        ];
        return { what: `system packages ${still.join(", ")}`, tried };
      },
    },
    {
      // The demo fetches Debian's kernel and base by them.
      held: () => !scope.demo || listsHeld(),
      bring: () => timed("package lists", "apt-get update", (busy) => updateLists(context, busy), context),
    },
    ...recipes.map((recipe) => ({
      held: () => isHeld(recipe, context),
      bring: () => bringTool(recipe, context),
    })),
    { held: () => pluginHeld(context), bring: () => bringPackerPlugin(context) },
    { held: () => checkersHeld(context), bring: () => bringCheckers(context) },
  ];
}

/** @param {Failure[]} failures */
function report(failures) {
  const lines = failures.flatMap(({ what, tried }) => [
    `  - ${what}`,
    ...tried.map((attempt) => `      ${attempt}`),
  ]);
  return ["Set-up could not bring everything. Missing, with what was tried:", ...lines].join("\n");
}

/**
 * Brings what this machine lacks. Where all is in place it reads a few small files and does nothing.
 *
 * @param {Scope} scope
 * @param {Context} context
 * @returns {Promise<boolean>} whether there was anything to do
 * @throws Error that lists everything still missing, each with what was tried
 */
async function setUp(scope, context) {
  const all = parts(scope, context);
  if (all.every((part) => part.held())) return false;
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(`Set-up is for Linux on x86-64; this is ${process.platform} on ${process.arch}.`);
  }
  const untried = untriedLine(context.osRelease);
  if (untried) context.log(untried);
  await withLock(context, async () => {
    rmSync(join(context.cache, "tmp"), { recursive: true, force: true });
    /** @type {Failure[]} */
    const failures = [];
    for (const part of all) {
      const failure = part.held() ? undefined : await part.bring();
      if (failure) failures.push(failure);
    }
    rmSync(join(context.cache, "tmp"), { recursive: true, force: true });
    if (failures.length > 0) throw new Error(report(failures));
    sweepGo(context);
  });
  return true;
}

module.exports = { setUp };
