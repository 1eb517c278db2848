"use strict";

const { mkdirSync, mkdtempSync } = require("node:fs");
const { homedir } = require("node:os");
const { join, resolve } = require("node:path");

const { OS_RELEASE } = require("./distribution.cjs");

/** @typedef {import("./process.cjs").Env} Env */
/** @typedef {{ pulumi: string, hashicorp: string, github: string }} Origins where makers publish their releases */
/**
 * @typedef {object} Context
 * @property {Env} env
 * @property {string} top the checkout
 * @property {string} cache
 * @property {Origins} origins
 * @property {(line: string) => void} log
 * @property {boolean} ask whether a person may be asked before the system is touched
 * @property {string} osRelease the file that names this machine's distribution, os-release(5)
 * @property {Map<string, Promise<string | undefined>>} probed why origins are not reachable, as far as this run has asked
 * @property {boolean} offline set once Go found no module proxy: later builds use what is on the machine
 * @property {Map<string, { at: number, since: number }>} working what said lately that it works, and when it began; told of together
 * @property {Map<string, Promise<unknown>>} shared work that several parts of a run wait for, by name
 */

/** @type {Origins} */
const ORIGINS = {
  pulumi: "https://get.pulumi.com",
  hashicorp: "https://releases.hashicorp.com",
  github: "https://github.com",
};
const TOP = resolve(__dirname, "../..");

/**
 * The one folder that set-up keeps everything in.
 *
 * @param {Env} env BOOTSTRAP_PXE_CACHE names it; else it is bootstrap-pxe in XDG_CACHE_HOME or ~/.cache
 */
function cacheFolder(env) {
  return (
    env.BOOTSTRAP_PXE_CACHE ||
    join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "bootstrap-pxe")
  );
}

/**
 * Where Pulumi keeps logins, plugins and which stack is selected.
 *
 * @param {Env} env
 */
function pulumiHome(env) {
  return env.PULUMI_HOME || join(env.HOME || homedir(), ".pulumi");
}

/**
 * @param {Partial<Context>} [given]
 * @returns {Context}
 */
function makeContext(given = {}) {
  const env = given.env ?? process.env;
  return {
    env,
    top: TOP,
    cache: cacheFolder(env),
    origins: ORIGINS,
    log: (line) => process.stderr.write(`${line}\n`),
    ask: false,
    osRelease: OS_RELEASE,
    probed: new Map(),
    offline: false,
    working: new Map(),
    shared: new Map(),
    ...given,
  };
}

/**
 * Refuses a place that no PATH can name: a colon parts two folders in it.
 *
 * @param {Pick<Context, "top" | "cache">} context
 */
function refuseColon({ top, cache }) {
  const places = Object.entries({ "this checkout": top, "set-up's cache": cache });
  for (const [what, path] of places)
    if (path.includes(":"))
      throw new Error(
        `Programs of ${what} cannot be found: its path ${path} has a colon, which parts two folders in PATH. ` +
          (path === top
            ? "Move it to a path without one."
            : "Let BOOTSTRAP_PXE_CACHE name a folder without one."),
      );
}

const TELL_MS = 10_000;

/**
 * Says that something is still at work, in one line with whatever else is, every ten seconds.
 *
 * @param {Context} context
 * @param {string} what
 * @param {number} since when it began
 */
function stillAtIt({ working, log }, what, since) {
  const now = Date.now();
  const first = [...working.keys()][0];
  working.set(what, { at: now, since });
  // The one that has said so for longest speaks for all.
  const speaks = first === undefined || first === what || now - (working.get(first)?.at ?? 0) > 1.5 * TELL_MS;
  if (!speaks) return;
  for (const [name, { at }] of working) if (now - at > 1.5 * TELL_MS) working.delete(name);
  const all = [...working].map(([name, { since }]) => `${name}, ${Math.round((now - since) / 1000)} s`);
  log(`still working: ${all.join("; ")}`);
}

/**
 * Does a piece of work once a run, for all who ask for it.
 *
 * @template T
 * @param {Context} context
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
function once({ shared }, name, work) {
  const known = shared.get(name) ?? work();
  shared.set(name, known);
  return /** @type {Promise<T>} */ (known);
}

/**
 * Does a piece of work after those that asked for their turn before.
 *
 * @template T
 * @param {Context} context
 * @param {string} name of what they take turns at
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
function inTurn({ shared }, name, work) {
  const mine = (shared.get(name) ?? Promise.resolve()).then(work, work);
  shared.set(name, mine);
  return mine;
}

/**
 * A new folder on the cache's file system; whatever a killed run left there is removed by the next.
 *
 * @param {Context} context
 */
function scratch({ cache }) {
  mkdirSync(join(cache, "tmp"), { recursive: true });
  return mkdtempSync(join(cache, "tmp", "x"));
}

module.exports = {
  TOP,
  cacheFolder,
  inTurn,
  makeContext,
  once,
  pulumiHome,
  refuseColon,
  scratch,
  stillAtIt,
};
