"use strict";

const { createHash } = require("node:crypto");
const {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} = require("node:fs");
const { join } = require("node:path");
const { pulumiHome } = require("./context.cjs");
const { whyUnreachable } = require("./download.cjs");
const { searchPath, which } = require("./process.cjs");

/** @typedef {import("./context.cjs").Context} Context */

const FORGET_MS = 60 * 60 * 1000;

/** @param {string} top */
const standInFolder = (top) => join(top, "tools", "plugins", "bin");

/** What is noted of a server that did not answer: why. @param {Context} context */
const unreachableNote = ({ cache }) => join(cache, "pulumi-unreachable");
/** @param {string} top @returns {Record<string, { version: string }>} */
const versions = (top) => JSON.parse(readFileSync(join(top, "tools", "plugins", "versions.json"), "utf8"));

/**
 * The plugins for which a stand-in serves: all of them where Pulumi's server does not answer and a real one is
 * missing, else none. A server that did not answer is not asked again for an hour.
 *
 * @param {Context} context
 * @returns {Promise<string[]>}
 */
async function standIns(context) {
  const { env, top, cache, origins } = context;
  const plugins = versions(top);
  const kept = join(pulumiHome(env), "plugins");
  const folders = searchPath(env).filter((folder) => folder !== standInFolder(top));
  const isReal = Object.entries(plugins).every(
    ([name, { version }]) =>
      which(`pulumi-resource-${name}`, folders) ?? existsSync(join(kept, `resource-${name}-v${version}`)),
  );
  if (isReal) return [];
  const note = unreachableNote(context);
  if (existsSync(note) && Date.now() - statSync(note).mtimeMs < FORGET_MS) return Object.keys(plugins);
  const why = await whyUnreachable(origins.pulumi, context);
  if (why === undefined) return [];
  mkdirSync(cache, { recursive: true });
  writeFileSync(note, why);
  return Object.keys(plugins);
}

/**
 * Says so where stand-ins serve.
 *
 * @param {Context} context
 * @returns {Promise<boolean>} whether they do
 */
async function announceStandIns(context) {
  const names = await standIns(context);
  if (names.length === 0) return false;
  const why = readFileSync(unreachableNote(context), "utf8");
  context.log(
    `Stand-ins serve for Pulumi's plugins ${names.join(", ")}: its download server cannot be reached${why && `, ${why}`}.`,
  );
  return true;
}

/**
 * A symbolic link, whole at every moment: of two that start at once, both end with it.
 *
 * @param {string} target
 * @param {string} path
 */
function link(target, path) {
  try {
    if (readlinkSync(path) === target) return;
  } catch {
    // It is not there yet.
  }
  const partial = `${path}.${process.pid}`;
  symlinkSync(target, partial);
  renameSync(partial, path);
}

/**
 * What has Pulumi find the stand-ins as plugins that it installed: of those on PATH it warns, twice each at every command.
 * For that it gets a home in the checkout; logins, and which stack is selected, stay in the person's.
 *
 * @param {Pick<Context, "env" | "top">} context
 * @returns {import("./process.cjs").Env} set over the environment
 */
function standInEnvironment({ env, top }) {
  const persons = pulumiHome(env);
  const homes = join(top, "artifacts", "stand-in-homes");
  // What a run like this starts has all that is set here.
  if (persons.startsWith(`${homes}/`)) return {};
  const home = join(homes, createHash("sha256").update(persons).digest("hex").slice(0, 12));
  const kept = join(persons, "plugins");
  const folders = searchPath(env);
  for (const [name, { version }] of Object.entries(versions(top))) {
    const [folder, program] = [`resource-${name}-v${version}`, `pulumi-resource-${name}`];
    const installed = join(kept, folder, program);
    const real = which(program, folders) ?? (existsSync(installed) ? installed : undefined);
    mkdirSync(join(home, "plugins", folder), { recursive: true });
    link(real ?? join(standInFolder(top), program), join(home, "plugins", folder, program));
  }
  mkdirSync(join(persons, "workspaces"), { recursive: true });
  link(join(persons, "workspaces"), join(home, "workspaces"));
  return {
    PULUMI_HOME: home,
    PULUMI_CREDENTIALS_PATH: env.PULUMI_CREDENTIALS_PATH || persons,
    PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
  };
}

module.exports = { standInFolder, standInEnvironment, standIns, announceStandIns };
