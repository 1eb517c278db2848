"use strict";

const { spawn, spawnSync } = require("node:child_process");
const { accessSync, constants, statSync } = require("node:fs");
const { join } = require("node:path");
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

/** @param {string} output */
function lastWords(output) {
  return output.trim().split("\n").slice(-3).join(" | ").trim();
}

/**
 * Runs a program to its end. While it runs, `busy` is called every ten seconds with the seconds so far.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ env: Env, cwd?: string, busy?: (seconds: number) => void, mostBytes?: number, outlive?: boolean, terminal?: boolean }} options
 *   mostBytes: one that prints more is ended; outlive: let it go on when this process is killed (apt must not be stopped half-way); terminal: it may ask on the terminal
 * @returns {Promise<string>} what it printed on stdout
 * @throws Error with its last words; its `stderr` has all of them
 */
function run(program, args, { env, cwd, busy, mostBytes = Infinity, outlive = false, terminal = false }) {
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
    child.stdout?.on("data", (chunk) => {
      stdout += chunk;
      if (stdout.length > mostBytes) child.kill();
    });
    child.stderr?.on("data", (chunk) => (stderr += chunk));
    const started = Date.now();
    const beat = busy && setInterval(() => busy(Math.round((Date.now() - started) / 1000)), HEARTBEAT_MS);
    child.on("error", (fault) => (clearInterval(beat), reject(fault)));
    child.on("close", (status, signal) => {
      clearInterval(beat);
      const tooMuch = stdout.length > mostBytes && `${program} was given more than ${mostBytes} bytes`;
      if (status === 0 && !tooMuch) return resolve(stdout);
      const words = tooMuch || lastWords(stderr) || lastWords(stdout);
      const fault = new Error(words || `${program} ended with ${signal ?? `status ${status}`}`);
      reject(Object.assign(fault, { stderr }));
    });
  });
}

module.exports = { searchPath, which, versionOf, run };
