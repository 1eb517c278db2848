"use strict";

const { spawn } = require("node:child_process");
const { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { constants, tmpdir } = require("node:os");
const { join } = require("node:path");
const { makeScratch, sweepScratch } = require("../../steps/frame/scratch.cjs");
const { backendLine, selectedStack, toolEnvironment } = require("./environment.cjs");
const { clearAfterKilledRuns, explainLocks, localLocks } = require("./killed-runs.cjs");
const { endOrphans, runMark } = require("./orphans.cjs");
const { narrowLine, tellOutcome, tellsOutcome, withoutOutputs } = require("./outcome.cjs");
const { carryOverStates } = require("./carried-states.cjs");
const { linesAfter, refusalOf } = require("./stack-commands.cjs");
const { announceStandIns } = require("./stand-ins.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {import("./process.cjs").Env} Env */

/**
 * Takes the salt out of the stack files that this project itself commits, the demo's and the example: the passphrase is
 * each checkout's own, and the state keeps the salt. Left alone once the file has secrets of its own.
 *
 * @param {string} top
 */
function dropDemoSalt(top) {
  for (const path of ["Pulumi.demo.yaml", "Pulumi.lab.yaml"].map((file) => join(top, file))) {
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    const without = text.replace(/^encryptionsalt: .*\n?/m, "");
    if (without === text || /^\s+(- )*secure:/m.test(text)) continue;
    writeFileSync(`${path}.partial`, without);
    renameSync(`${path}.partial`, path);
  }
}

/**
 * Runs a program on this terminal and passes signals on to it.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {Env} env
 * @param {string} cwd
 * @returns {Promise<number>} its exit status, or 128 and the signal's number
 */
function inForeground(program, args, env, cwd) {
  const child = spawn("setpriv", ["--pdeathsig", "TERM", "--", program, ...args], {
    stdio: "inherit",
    env: /** @type {any} */ (env),
    cwd,
  });
  // A terminal sends Ctrl-C to the whole group, and Pulumi takes a second one for "stop at once".
  const pass = (/** @type {NodeJS.Signals} */ signal) =>
    (process.stdin.isTTY && signal === "SIGINT") || child.kill(signal);
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) process.on(signal, pass);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => {
      for (const signal of signals) process.removeListener(signal, pass);
      resolve(status ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

/**
 * Makes a folder for the temporary files of Pulumi and its plugins. The `aws` plugin copies each file that it uploads there,
 * and leaves the copy (pulumi-terraform-bridge, translateToFile): the image with its secrets.
 *
 * @param {Context} context
 * @returns the variables for it, and for what has to stay elsewhere: the steps' temporary files, since Packer makes sockets
 *   there, whose names have 107 bytes at most (unix(7)); and what Pulumi's ts-node made of the program, 12 s of work
 */
function ownTmpdir({ top, env }) {
  const artifacts = join(top, "artifacts");
  mkdirSync(artifacts, { recursive: true });
  return {
    TMPDIR: makeScratch("tmp", artifacts),
    BOOTSTRAP_PXE_TMPDIR: env.TMPDIR || tmpdir(),
    TS_NODE_CACHE_DIRECTORY: env.TS_NODE_CACHE_DIRECTORY || join(artifacts, "cache", "ts-node"),
  };
}

/**
 * Does work that runs Pulumi, in the environment for it; before and after, what killed runs left is cleared away.
 *
 * @template T
 * @param {Context} context
 * @param {(env: Env) => Promise<T>} work
 * @param {{ own?: boolean, sayBackend?: boolean }} [options] own: as of `toolEnvironment`; sayBackend: say which backend
 *   serves where stacks of this checkout are in another
 * @returns {Promise<T>}
 */
async function withPulumi(context, work, { own = false, sayBackend = !own } = {}) {
  const line = sayBackend ? backendLine(context) : undefined;
  if (line) context.log(line);
  const env = {
    ...toolEnvironment(context, { standIns: await announceStandIns(context), own }),
    ...runMark(),
    ...ownTmpdir(context),
  };
  endOrphans();
  sweepScratch();
  dropDemoSalt(context.top);
  clearAfterKilledRuns(env, context.log);
  const isBusy = (/** @type {string} */ stack) => localLocks(env).some((lock) => lock.stack === stack);
  carryOverStates(env, context.top, context.log, isBusy);
  try {
    return await work(env);
  } finally {
    endOrphans({ own: true });
    sweepScratch();
    rmSync(env.TMPDIR, { recursive: true, force: true });
    dropDemoSalt(context.top);
  }
}

/**
 * What the program has to know of a command: under an update plan it decides by what the plan's preview knew (components/step.ts).
 *
 * @param {string[]} args of the Pulumi CLI
 * @returns {Env}
 */
function planEnvironment(args) {
  const isPlanned = args.some((arg) => /^--(plan|save-plan|strict)(=|$)/.test(arg));
  return isPlanned ? { BOOTSTRAP_PXE_PLAN: "true" } : {};
}

/**
 * Runs the Pulumi CLI that set-up found or brought, in the checkout.
 *
 * @param {string[][]} commands one after the other, until one fails
 * @param {Context} context
 * @param {Parameters<typeof withPulumi>[2]} [options]
 * @returns {Promise<number>} exit status
 */
async function runPulumi(commands, context, options) {
  const work = async (/** @type {Env} */ env) => {
    for (const args of commands) {
      const refusal = refusalOf(args);
      if (refusal) {
        context.log(refusal);
        return 1;
      }
      const selected = selectedStack({ env, top: context.top });
      // The demo's reader wants the next steps last, wherever they read them; a program that reads Pulumi's list gets it.
      const tells = (process.stdout.isTTY || options?.own) && tellsOutcome(args);
      const narrow = tells ? narrowLine(process.stdout.columns) : undefined;
      if (narrow) context.log(narrow);
      const status = await inForeground(
        "pulumi",
        tells ? withoutOutputs(args) : args,
        { ...env, ...planEnvironment(args) },
        context.top,
      );
      if (status !== 0) {
        explainLocks(args, env, context.log);
        return status;
      }
      if (tells) tellOutcome(args, env, context.top);
      const { PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile } = env;
      linesAfter(args, { top: context.top, selected, passphraseFile }).forEach(context.log);
    }
    return 0;
  };
  return withPulumi(context, work, options);
}

module.exports = { dropDemoSalt, inForeground, ownTmpdir, runPulumi, withPulumi };
