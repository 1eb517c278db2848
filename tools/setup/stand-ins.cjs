"use strict";

const { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } = require("node:fs");
const { homedir } = require("node:os");
const { join } = require("node:path");
const { whyUnreachable } = require("./download.cjs");
const { searchPath, which } = require("./process.cjs");

/** @typedef {import("./context.cjs").Context} Context */

const FORGET_MS = 60 * 60 * 1000;

/** @param {string} top */
const standInFolder = (top) => join(top, "tools", "plugins", "bin");

/** What is noted of a server that did not answer: why. @param {Context} context */
const unreachableNote = ({ cache }) => join(cache, "pulumi-unreachable");

/**
 * The plugins for which a stand-in serves: all of them where Pulumi's server does not answer and a real one is
 * missing, else none. A server that did not answer is not asked again for an hour.
 *
 * @param {Context} context
 * @returns {Promise<string[]>}
 */
async function standIns(context) {
  const { env, top, cache, origins } = context;
  /** @type {Record<string, { version: string }>} */
  const plugins = JSON.parse(readFileSync(join(top, "tools", "plugins", "versions.json"), "utf8"));
  const kept = join(env.PULUMI_HOME || join(env.HOME || homedir(), ".pulumi"), "plugins");
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

module.exports = { standInFolder, standIns, announceStandIns };
