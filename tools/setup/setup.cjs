"use strict";

const { existsSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const {
  Declined,
  installPackages,
  installRefusal,
  listsHeld,
  missingPackages,
  updateLists,
} = require("./apt.cjs");
const { REGISTRY_GROUP, bringCheckers, checkersHeld } = require("./checkers.cjs");
const { untriedLine } = require("./distribution.cjs");
const { MINORS, loaderFor } = require("../../stack/talos-releases.cjs");
const { knownGo, sweepGo } = require("./go.cjs");
const { stillAtIt, refuseColon } = require("./context.cjs");
const { withLock } = require("./lock.cjs");
const { rangesCommand } = require("./namespaces.cjs");
const { dependenciesHeld, installDependencies } = require("./npm.cjs");
const { bringPackerPlugin, pluginHeld } = require("./packer-plugin.cjs");
const { hasPip } = require("./pip.cjs");
const { RECIPES } = require("./recipes.cjs");
const { defaultVersion } = require("./talos-versions.cjs");
const { bringTool, isHeld } = require("./tools.cjs");
const { fits } = require("./versions.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {import("./tools.cjs").Failure} Failure */
/** @typedef {"preview" | "verify" | "collect" | "new" | "rehearse" | "node" | "lint" | "use" | "loaders" | "inputs" | "demo" | "test" | "boots"} Scope what set-up is for */
/** @typedef {{ talosVersions?: string[], offline?: boolean }} Stacks what is known of them, as of `setUp` */
/** @typedef {{ name: string, after: string[], held: () => boolean, bring: () => Promise<Failure | undefined>, refusal?: () => string | undefined }} Part after: parts that it waits for; refusal: why it cannot be brought, known before anything is */

/** Its programs are of one release of Talos each: those that the scope's stacks are for. */
const LOADER = "talos-config";
/** What the demo's node has of Talos, of one release each. */
const NODE_TOOL = "node-tool";
/** Asks a mini-PC of a stack, by the client of its release of Talos. */
const CLIENT = "talos-client";
/** Answers it in tests, in the place of a mini-PC. */
const API = "talos-api";

const USE = ["npm", "system", "pulumi", "packer", "sops", LOADER, "packer-plugin", "checkers"];
/** What the demo's inputs are made with. */
const INPUTS = ["npm", "system", "lists", "sops", LOADER, NODE_TOOL];
/** @param {true | "boots"} kind */
const ofTests = (kind) =>
  RECIPES.filter(({ tests, talos }) => tests === kind && !talos).map(({ name }) => name);
const TEST = [...new Set([...USE, ...INPUTS, ...ofTests(true), CLIENT, API])];

/** The parts that each scope wants: nothing is compiled before the command at hand needs it. */
const SCOPES = {
  // What of Pulumi's commands runs no step.
  preview: ["npm", "pulumi"],
  verify: ["npm", "system"],
  collect: ["npm", "system"],
  // What a stack is made with; its configs' generator is brought when their release is known.
  new: ["npm", "system", "pulumi", "sops"],
  loaders: ["system", LOADER],
  rehearse: ["npm", "system", "pulumi", "sops"],
  node: ["npm", "system", "pulumi", "sops", CLIENT],
  lint: ["npm", "system", "packer"],
  use: USE,
  inputs: INPUTS,
  demo: [...new Set([...USE, ...INPUTS])],
  test: TEST,
  boots: [...TEST, ...ofTests("boots")],
};
/** Those that want the system packages of the demo too. */
const ON_DEMO = ["lint", "inputs", "demo", "test", "boots"];
/** What an offline stack wants besides, of a scope that makes images. */
const REGISTRY = REGISTRY_GROUP.name;
/** Those that want it whatever the stacks are. @type {Scope[]} */
const ON_REGISTRY = ["test", "boots"];
/**
 * The minors of Talos that tests want beside the default: `npm test` has no time to compile all.
 *
 * @type {Partial<Record<Scope, string[]>>}
 */
const TESTED = { test: MINORS.filter((_, at) => at === 0 || at === MINORS.length - 1), boots: MINORS };
// Pulumi's commands that make what a program asks for.
const MAKING = ["up", "update", "watch"];

/**
 * What a command of the Pulumi CLI wants.
 *
 * @param {string[]} args
 * @returns {Scope}
 */
const scopeOfPulumi = (args) => (args.some((arg) => MAKING.includes(arg)) ? "use" : "preview");

/**
 * @param {string} what
 * @param {string} how
 * @param {(busy: () => void) => Promise<void>} work
 * @param {Context} context
 * @returns {Promise<Failure | undefined>}
 */
async function timed(what, how, work, context) {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  context.log(`${what}: ${how}`);
  try {
    await work(() => stillAtIt(context, what, started));
  } catch (fault) {
    // What a person does not want is not brought by halves.
    if (fault instanceof Declined) throw fault;
    return { what, tried: [`${how}: ${/** @type {Error} */ (fault).message}`] };
  }
  context.log(`${what}: done, ${seconds()} s`);
  return undefined;
}

/**
 * The parts that a scope wants, by name.
 *
 * @param {Scope} scope
 * @param {string} top
 * @param {Stacks} stacks
 */
function partsOf(scope, top, { talosVersions, offline }) {
  const standard = defaultVersion(top);
  /** @param {string[]} versions */
  const minorsOf = (versions) => versions.flatMap((version) => loaderFor(version)?.minor ?? []);
  const [asked, tested] = [minorsOf(talosVersions ?? [standard]), TESTED[scope] ?? []];
  // `npm test` has one release answered only: each has a gRPC of its own to compile.
  const answered = scope === "boots" ? MINORS : [];
  /** @type {Record<string, string[]>} */
  const minors = {
    [LOADER]: [...asked, ...tested],
    [NODE_TOOL]: [...minorsOf([standard]), ...tested],
    [CLIENT]: [...asked, ...answered],
    [API]: [...minorsOf([standard]), ...answered],
  };
  const all = offline && SCOPES[scope].includes("checkers") ? [...SCOPES[scope], REGISTRY] : SCOPES[scope];
  return new Set(all.flatMap((name) => minors[name]?.map((minor) => `${name}-${minor}`) ?? [name]));
}

/**
 * What set-up brings for a scope, in the order in which it is told of.
 *
 * @param {Scope} scope
 * @param {Context} context
 * @param {Stacks} [stacks]
 * @returns {Part[]}
 */
function parts(scope, context, stacks = {}) {
  const { top, ask } = context;
  const of = { ...stacks, offline: stacks.offline || ON_REGISTRY.includes(scope) };
  const wanted = partsOf(scope, top, of);
  const demo = ON_DEMO.includes(scope);
  const missing = () => missingPackages({ demo, offline: wanted.has(REGISTRY) }, context);
  const recipes = RECIPES.filter(
    ({ name, builds = [] }) =>
      wanted.has(name) && builds.every(({ folder }) => existsSync(join(top, folder))),
  );
  const system = () => {
    const packages = missing();
    // What nobody offers as a download wants Go, and pip where the machine has none.
    const built = recipes.some((recipe) => !recipe.official && !isHeld(recipe, context));
    return built && !knownGo(context) && !hasPip(context) ? [...packages, "python3-pip"] : packages;
  };
  /** @type {Part[]} */
  const all = [
    {
      name: "npm",
      // A question on the terminal is asked alone.
      after: ask ? ["system"] : [],
      held: () => dependenciesHeld(top),
      bring: () => timed("npm dependencies", "npm ci", (busy) => installDependencies(context, busy), context),
    },
    {
      name: "system",
      after: [],
      held: () => missing().length === 0,
      refusal: () => installRefusal(system(), context, demo ? rangesCommand() : undefined),
      bring: async () => {
        const failure = await timed(
          "system packages",
          "apt-get",
          (busy) => installPackages(system(), context, busy),
          context,
        );
        const still = missing();
        if (still.length === 0) return undefined;
        // A release of the system may have a package without the program that is wanted of it.
        const tried = failure?.tried ?? [
          "apt-get: ended well, but a program that the packages should bring is not there",
        ];
        return { what: `system packages ${still.join(", ")}`, tried };
      },
    },
    {
      // The demo fetches Debian's kernel and base by them.
      name: "lists",
      after: ["system"],
      held: () => listsHeld(),
      bring: () => timed("package lists", "apt-get update", (busy) => updateLists(context, busy), context),
    },
    ...recipes.map((recipe) => ({
      name: recipe.name,
      after: ["system"],
      held: () => isHeld(recipe, context),
      bring: () => bringTool(recipe, context),
    })),
    {
      name: "packer-plugin",
      after: ["system", "packer"],
      held: () => pluginHeld(context),
      bring: () => bringPackerPlugin(context),
    },
    {
      name: "checkers",
      after: ["system", "lists"],
      held: () => checkersHeld(context),
      bring: () => bringCheckers(context),
    },
    {
      name: REGISTRY,
      after: ["system", "lists", "checkers"],
      held: () => checkersHeld(context, REGISTRY_GROUP),
      bring: () => bringCheckers(context, REGISTRY_GROUP),
    },
  ];
  return all.filter(({ name }) => wanted.has(name));
}

/**
 * Brings parts beside each other, each after those that it waits for: what waits for a network costs the compilers nothing.
 *
 * @param {Part[]} all
 * @returns {Promise<Failure[]>} in the parts' order
 */
async function bringAll(all) {
  /** @type {Map<string, Promise<Failure | undefined>>} */
  const brought = new Map();
  /** @type {(part: Part) => Promise<Failure | undefined>} */
  const bring = async ({ after, held, bring: work }) => {
    await Promise.all(all.filter(({ name }) => after.includes(name)).map(begin));
    return held() ? undefined : work();
  };
  /** @type {(part: Part) => Promise<Failure | undefined>} */
  const begin = (part) => {
    const known = brought.get(part.name) ?? bring(part);
    brought.set(part.name, known);
    return known;
  };
  const failures = await Promise.all(all.map(begin));
  return failures.filter((failure) => failure !== undefined);
}

/** The oldest Node that this runs on, as package.json has it: tsx's `--import` came with it. */
const OLDEST_NODE = "20.6";

/**
 * @param {string} [version] of Node
 * @throws Error when it is too old
 */
function refuseOldNode(version = process.versions.node) {
  if (fits(version, { version: OLDEST_NODE })) return;
  throw new Error(`Node ${OLDEST_NODE} or newer is needed, and this is ${version}: see https://nodejs.org`);
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
 * @param {string[]} [talosVersions] releases of Talos whose generator and loader the command at hand runs; unset, Pulumi.yaml's
 * @param {boolean} [offline] whether a stack of the command at hand serves images
 * @returns {Promise<boolean>} whether there was anything to do
 * @throws Error that lists everything still missing, each with what was tried
 */
async function setUp(scope, context, talosVersions, offline = false) {
  refuseOldNode();
  refuseColon(context);
  const all = parts(scope, context, { talosVersions, offline });
  if (all.every((part) => part.held())) return false;
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(`Set-up is for Linux on x86-64; this is ${process.platform} on ${process.arch}.`);
  }
  const untried = untriedLine(context.osRelease);
  if (untried) context.log(untried);
  const refusals = all.flatMap((part) => (!part.held() && part.refusal?.()) || []);
  if (refusals.length > 0) throw new Error(`Nothing was set up: ${refusals.join("; ")}`);
  await withLock(context, async () => {
    rmSync(join(context.cache, "tmp"), { recursive: true, force: true });
    const failures = await bringAll(all);
    rmSync(join(context.cache, "tmp"), { recursive: true, force: true });
    if (failures.length > 0) throw new Error(report(failures));
    // What was compiled for the demo's inputs, the rest of its set-up uses.
    const follows = scope === "inputs" && !parts("demo", context).every((part) => part.held());
    if (!follows) sweepGo(context);
  });
  return true;
}

module.exports = { OLDEST_NODE, refuseOldNode, scopeOfPulumi, setUp };
