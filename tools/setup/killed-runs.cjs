"use strict";

const { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync, rmSync } = require("node:fs");
const { hostname } = require("node:os");
const { basename, dirname, join } = require("node:path");
const { parseArgs } = require("node:util");
const { folderOfBackend } = require("./environment.cjs");
const { identity, ofProcess } = require("./orphans.cjs");

/** @typedef {import("./process.cjs").Env} Env */

/**
 * @param {string} path
 * @returns {{ pid: number, hostname: string, timestamp: string } | undefined} undefined when another run just removed it, or it was written in part
 */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** A lock before its maker renames it (gocloud.dev, fileblob). Pulumi counts it as a lock. */
const UNNAMED_LOCK = /\.json\.[0-9a-f]+\.tmp$/;

/** @param {string | undefined} folder of a file backend */
function filesBelow(folder) {
  if (!folder || !existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/**
 * The files that Pulumi takes for locks, in a file backend.
 *
 * @param {Env} env
 */
const lockFiles = (env) =>
  filesBelow(folderOfBackend(env, "locks")).filter(
    (path) => path.endsWith(".json") || UNNAMED_LOCK.test(path),
  );

/**
 * The locks that runs on this machine took; those of other machines are Pulumi's to explain.
 *
 * @param {Env} env
 */
function localLocks(env) {
  return lockFiles(env).flatMap((path) => {
    const lock = readLock(path);
    return lock?.hostname === hostname() ? [{ path, stack: basename(dirname(path)), ...lock }] : [];
  });
}

/** @param {number} pid */
const isPulumi = (pid) =>
  ofProcess(() => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === "pulumi", false) &&
  identity(pid) !== undefined;

/**
 * Whether a process has the file open.
 *
 * @param {string} path
 */
function isOpen(path) {
  const file = realpathSync(path);
  return readdirSync("/proc")
    .map((pid) => join("/proc", pid, "fd"))
    .flatMap((folder) => ofProcess(() => readdirSync(folder).map((fd) => join(folder, fd)), []))
    .some((link) => ofProcess(() => readlinkSync(link), "") === file);
}

/**
 * Removes the locks that killed runs left. A lock whose maker lives stays.
 *
 * @param {Env} env
 * @param {(line: string) => void} log
 */
function dropDeadLocks(env, log) {
  for (const { path, pid, timestamp } of localLocks(env).filter(({ pid }) => !isPulumi(pid))) {
    rmSync(path, { force: true });
    log(`The run of ${timestamp} (pid ${pid}) was killed; its lock is removed.`);
  }
  for (const path of lockFiles(env).filter((path) => UNNAMED_LOCK.test(path) && !readLock(path))) {
    if (!existsSync(path) || isOpen(path)) continue;
    rmSync(path, { force: true });
    log(`A run was killed while it wrote its lock, ${basename(path)}; the lock is removed.`);
  }
}

/** @param {string} path */
function isJson(path) {
  try {
    JSON.parse(readFileSync(path, "utf8"));
    return true;
  } catch (error) {
    return !(error instanceof SyntaxError);
  }
}

/**
 * Removes the attribute files that are not whole. Pulumi writes one in place beside each file of its state (gocloud.dev,
 * fileblob, setAttrs), does without one that is not there, and refuses the stack for half of one: "failed to load
 * checkpoint: EOF".
 *
 * @param {Env} env
 * @param {(line: string) => void} log
 */
function dropHalfAttributes(env, log) {
  const isHalf = (/** @type {string} */ path) => existsSync(path) && !isJson(path);
  for (const path of filesBelow(folderOfBackend(env)).filter((path) => path.endsWith(".attrs"))) {
    if (!isHalf(path) || isOpen(path) || !isHalf(path)) continue;
    rmSync(path, { force: true });
    log(
      `A run was killed while it wrote ${basename(path)}; that file is removed, and the state itself is whole.`,
    );
  }
}

/**
 * Says which state of a stack is not whole, as a power cut leaves it, and how its backup is put in its place.
 *
 * @param {Env} env
 * @param {(line: string) => void} log
 */
function explainHalfStates(env, log) {
  for (const path of filesBelow(folderOfBackend(env, "stacks")).filter((path) => path.endsWith(".json"))) {
    if (isJson(path)) continue;
    const backup = `${path}.bak`;
    const cure =
      existsSync(backup) && isJson(backup)
        ? `Its backup, of one change before, is whole: cp '${backup}' '${path}'`
        : "Its backup is not whole either; older ones are in the folder backups beside stacks.";
    log(`The state of the stack ${basename(path, ".json")} is not whole, which a power cut can do. ${cure}`);
  }
}

/**
 * Clears away, in a file backend, what runs that were killed left there.
 *
 * @param {Env} env
 * @param {(line: string) => void} log
 */
function clearAfterKilledRuns(env, log) {
  dropDeadLocks(env, log);
  dropHalfAttributes(env, log);
  explainHalfStates(env, log);
}

/**
 * Says who is at work on a stack, beside Pulumi's advice to cancel.
 *
 * @param {string[]} args of the Pulumi CLI that failed
 * @param {Env} env
 * @param {(line: string) => void} log
 */
function explainLocks(args, env, log) {
  const { values } = parseArgs({ args, options: { stack: { type: "string", short: "s" } }, strict: false });
  for (const { pid, timestamp, stack } of localLocks(env)) {
    if (values.stack !== undefined && values.stack !== stack) continue;
    log(
      `The run of ${timestamp} (pid ${pid}) works on the stack ${stack}: wait for it, or end it with kill ${pid}. ` +
        "pulumi cancel would leave two at work on one state.",
    );
  }
}

module.exports = { clearAfterKilledRuns, explainLocks, localLocks };
