"use strict";

const { existsSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { parentOf } = require("../../steps/frame/processes.cjs");

/** @typedef {import("./process.cjs").Env} Env */
/** @typedef {{ name: string, value: string }} Taken an option that npm kept from its script; "" is what npm makes of --no-NAME */

const PREFIX = "npm_config_";

/**
 * What the process was started with, as proc(5) tells; undefined where it cannot be read.
 *
 * @param {number} pid
 * @returns {Env | undefined}
 */
function startEnvironment(pid) {
  try {
    const lines = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2)));
  } catch {
    return undefined;
  }
}

/**
 * The environment that npm itself was started with: that of the nearest process above that knows nothing of this script.
 *
 * @param {Env} env of this process
 * @returns {Env} empty where it cannot be told
 */
function environmentOfNpm(env) {
  for (let pid = process.ppid; pid > 1; pid = Number(parentOf(pid) ?? 0)) {
    const started = startEnvironment(pid);
    if (!started) return {};
    if (started.npm_lifecycle_event !== env.npm_lifecycle_event || started.npm_command !== env.npm_command)
      return started;
  }
  return {};
}

/**
 * What npm's config files say, by its names in the environment; the last of a name counts, as in npm.
 *
 * @param {Env} env
 * @returns {Record<string, string>}
 */
function npmrcValues(env) {
  const project = env.npm_config_local_prefix && join(env.npm_config_local_prefix, ".npmrc");
  const builtin = env.npm_execpath && join(env.npm_execpath, "../../npmrc");
  const files = [builtin, env.npm_config_globalconfig, env.npm_config_userconfig, project];
  /** @type {Record<string, string>} */
  const values = {};
  for (const file of files) {
    if (!file || !existsSync(file)) continue;
    for (const line of readFileSync(file, "utf8").split("\n")) {
      const [, key = "", value = "true"] = /^\s*([\w-]+)(?:\[\])?\s*(?:=\s*(.*?)\s*)?$/.exec(line) ?? [];
      if (key)
        values[inEnvironment(key)] = value.replace(/^(["'])(.*)\1$/, "$2").replace(/^(false|null)$/, "");
    }
  }
  return values;
}

/** @param {string} name */
const inEnvironment = (name) => `${PREFIX}${name.replace(/-/g, "_").toLowerCase()}`;

/**
 * The options among these that stood on npm's command line before a `--`: npm takes them for its own, keeps them from
 * the script, and leaves them in the environment. What its config files or its caller's environment say is none.
 *
 * @param {string} script the npm script's name
 * @param {string[]} names of the script's options
 * @param {Env} env
 * @returns {Taken[]}
 */
function takenByNpm(script, names, env) {
  if (env.npm_lifecycle_event !== script) return [];
  const found = names.flatMap((name) => {
    const value = env[inEnvironment(name)];
    return value === undefined ? [] : [{ name, value }];
  });
  if (found.length === 0) return [];
  const [configured, before] = [npmrcValues(env), environmentOfNpm(env)];
  return found.filter(({ name, value }) => {
    const [key, known] = [inEnvironment(name), configured[inEnvironment(name)]];
    return before[key] !== value && known !== value && !known?.includes("${");
  });
}

/**
 * A word as a shell takes it.
 *
 * @param {string} word
 */
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`);

/**
 * What to say of options that npm took, with the command that gives them to the script.
 *
 * @param {string} script
 * @param {Taken[]} taken
 * @param {string[]} args what reached the script
 * @param {Set<string>} flags options without a value: of others npm loses the value, or its place
 */
function explainTaken(script, taken, args, flags) {
  const words = taken.map(({ name, value }) => {
    const dashes = name.length === 1 ? "-" : "--";
    if (value === "true") return `${dashes}${name}`;
    return value === "" ? `--no-${name}` : `${dashes}${name}=${value}`;
  });
  const isWhole = taken.every(({ name, value }) => value !== "true" || flags.has(name));
  const right = isWhole
    ? `Right: npm run ${script} -- ${[...args, ...words].map(quoted).join(" ")}`
    : `Right, with all your words after the --: npm run ${script} -- … ${words.join(" … ")} …`;
  const why =
    words.length === 1 ? "an option of its own, since it stands" : "options of its own, since they stand";
  return `npm took ${words.join(" and ")} for ${why} before a --; nothing was done. ${right}`;
}

module.exports = { explainTaken, quoted, takenByNpm };
