"use strict";

const { spawn, spawnSync } = require("node:child_process");
const { accessSync, constants, statSync } = require("node:fs");
const { join } = require("node:path");
const { clearTimeout, setTimeout } = require("node:timers");
const { versionIn } = require("./versions.cjs");

/** @typedef {Record<string, string | undefined>} Env */

// A user's PATH on Debian lacks these, and Go's own archive goes to the last.
const ALSO = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/go/bin"];
const HEARTBEAT_MS = 10_000;

/**
 * The folders that programs are looked for in.
 *
 * @param {Env} env
 */
function searchPath(env) {
  return [...new Set([...(env.PATH ?? "").split(":").filter(Boolean), ...ALSO])];
}

/**
 * The path of a program, or undefined.
 *
 * @param {string} program
 * @param {string[]} folders
 */
function which(program, folders) {
  return folders.map((folder) => join(folder, program)).find(isProgram);
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The version that a program tells of itself, or undefined.
 *
 * @param {string} program path
 * @param {string[]} args
 * @param {Env} env
 */
function versionOf(program, args, env) {
  const quiet = { ...env, PULUMI_SKIP_UPDATE_CHECK: "true", CHECKPOINT_DISABLE: "1" };
  const ended = spawnSync(program, args, {
    env: /** @type {any} */ (quiet),
    encoding: "utf8",
    timeout: 20_000,
  });
  return ended.status === 0 ? versionIn(ended.stdout + ended.stderr) : undefined;
}

/** @param {number} seconds */
const minutes = (seconds) => (seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`);

/** @param {string} output */
function lastWords(output) {
  return output.trim().split("\n").slice(-3).join(" | ").trim();
}

/**
 * Runs a program to its end. While it runs, `busy` is called every ten seconds with the seconds so far.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ env: Env, cwd?: string, busy?: (seconds: number) => void, mostBytes?: number, outlive?: boolean, terminal?: boolean, silence?: number, limit?: number }} options
 *   mostBytes: one that prints more is ended; silence, limit: seconds without a word, and in all, after which it is ended (a server may accept and say nothing); outlive: let it go on when this process is killed (apt must not be stopped half-way); terminal: it may ask on the terminal
 * @returns {Promise<string>} what it printed on stdout
 * @throws Error with its last words; its `stderr` has all of them
 */
function runTool(program, args, options) {
  const { env, cwd, busy, mostBytes = Infinity, outlive = false, terminal = false, silence, limit } = options;
  const found = program.includes("/") ? program : which(program, searchPath(env));
  if (!found) return Promise.reject(new Error(`${program} is not on this machine`));
  const setpriv = outlive ? undefined : which("setpriv", searchPath(env));
  const command = [...(setpriv ? [setpriv, "--pdeathsig", "TERM", "--"] : []), found, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(/** @type {string} */ (command[0]), command.slice(1), {
      cwd,
      env: /** @type {any} */ (env),
      stdio: [terminal ? "inherit" : "ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    /** @type {string | undefined} */
    let gaveUp;
    const giveUp = (/** @type {string} */ why) => ((gaveUp = why), child.kill("SIGKILL"));
    const inAll = limit && setTimeout(() => giveUp(`it had not ended after ${minutes(limit)}`), limit * 1000);
    const quiet =
      silence && setTimeout(() => giveUp(`it said nothing for ${minutes(silence)}`), silence * 1000);
    child.stdout?.on("data", (chunk) => {
      stdout += chunk;
      if (quiet) quiet.refresh();
      if (stdout.length > mostBytes) giveUp(`${program} was given more than ${mostBytes} bytes`);
    });
    child.stderr?.on("data", (chunk) => ((stderr += chunk), quiet && quiet.refresh()));
    const started = Date.now();
    const beat = busy && setInterval(() => busy(Math.round((Date.now() - started) / 1000)), HEARTBEAT_MS);
    const stopClocks = () => (clearInterval(beat), clearTimeout(inAll), clearTimeout(quiet));
    child.on("error", (fault) => (stopClocks(), reject(fault)));
    child.on("close", (status, signal) => {
      stopClocks();
      if (status === 0 && !gaveUp) return resolve(stdout);
      const said = lastWords(stderr);
      const words = gaveUp
        ? [gaveUp, said].filter(Boolean).join("; its last words: ")
        : said || lastWords(stdout) || `${program} ended with ${signal ?? `status ${status}`}`;
      reject(Object.assign(new Error(words), { stderr }));
    });
  });
}

module.exports = { searchPath, which, versionOf, runTool };
