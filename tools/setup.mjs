// npm run setup: brings what this machine lacks, once, and keeps it under one cache folder.
// Plain JavaScript without dependencies: it runs before npm ci.
import { existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { cacheFolder, pluginsMark, standInsServe, TOP } from "./environment.mjs";
import { fittingOnPath, inCache, obtain, reachable } from "./setup/obtain.mjs";
import { ensureCheckers, ensureNodeModules, ensureSystemPackages } from "./setup/packages.mjs";
import { say, which } from "./setup/run.mjs";
import { SYSTEM, TOOLS } from "./setup/tools.mjs";

/** Where Pulumi downloads its plugins from. */
const PLUGINS = "https://get.pulumi.com/releases/plugins/pulumi-resource-command-v1.2.1-linux-amd64.tar.gz";

/** Holds other set-ups up until this process ends, however it ends. @param {string} cache */
function takeTurn(cache) {
  mkdirSync(cache, { recursive: true });
  const lock = openSync(join(cache, "setup.lock"), "a");
  // flock(1) locks the description of descriptor 3, which this process shares and keeps.
  const take = (/** @type {string[]} */ ...flags) =>
    spawnSync("flock", [...flags, "3"], { stdio: ["ignore", "inherit", "inherit", lock] }).status === 0;
  if (take("--nonblock")) return;
  say("another set-up is at work; waiting for it");
  take();
}

/** Where Pulumi cannot get its plugins, this project's stand-ins serve. Asked once, and again when something was brought. */
async function decideOnPlugins() {
  writeFileSync(pluginsMark(), (await reachable(PLUGINS)) ? "real" : "stand-ins");
}

/** @param {import("./setup/obtain.mjs").Places} places @param {import("./setup/tools.mjs").Tool} tool */
function isThere(places, tool) {
  const beside = tool.besidePulumi && which(tool.name, `${join(places.cache, "bin")}:${process.env.PATH}`);
  return Boolean(beside) || inCache(places, tool) || Boolean(fittingOnPath(places, tool));
}

/**
 * Brings everything, or says exactly what is missing.
 * @throws Error with one line a missing piece
 */
export async function setUp() {
  const started = Date.now();
  const places = { top: TOP, cache: cacheFolder() };
  takeTurn(places.cache);
  /** @type {string[]} */
  const faults = [];
  const attempt = async (/** @type {() => Promise<unknown>} */ bring) => {
    await bring().catch((/** @type {Error} */ fault) => faults.push(fault.message));
  };
  await attempt(() => ensureSystemPackages(SYSTEM));
  await attempt(() => ensureNodeModules(TOP));
  await attempt(() => ensureCheckers(places.cache));
  const missing = TOOLS.filter((tool) => !isThere(places, tool));
  for (const tool of missing) {
    // Asked again: the official CLI brings its language host along.
    if (!isThere(places, tool)) await attempt(() => obtain(places, tool));
  }
  if (faults.length > 0)
    throw new Error(
      `these are missing:\n  ${faults.join("\n  ")}\nBring them by hand, or run npm run setup where they can be reached.`,
    );
  if (missing.length > 0 || !existsSync(pluginsMark())) await decideOnPlugins();
  const standIns = standInsServe()
    ? "; stand-ins serve for Pulumi's plugins command and random, which cannot be downloaded here"
    : "";
  if (missing.length > 0) say(`ready after ${Math.round((Date.now() - started) / 1000)} s${standIns}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await setUp().then(
    () => say("everything is there"),
    (/** @type {Error} */ fault) => {
      say(fault.message);
      process.exitCode = 1;
    },
  );
}
