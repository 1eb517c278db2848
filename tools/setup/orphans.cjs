"use strict";

const { readFileSync, readdirSync, readlinkSync } = require("node:fs");
const { statFields } = require("../../steps/frame/processes.cjs");

const MARK = "BOOTSTRAP_PXE_RUN";

/**
 * Does something with a file of /proc, which ends with its process.
 *
 * @template T
 * @param {() => T} read
 * @param {T} otherwise for a process that ended, or is another user's
 */
function ofProcess(read, otherwise) {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/**
 * A process by its pid and the time it started at, so that a pid that was given anew is not mistaken for it.
 *
 * @param {number | string} pid
 * @returns {string | undefined} undefined when it does not run, or ended and nobody asked how
 */
function identity(pid) {
  const fields = statFields(pid);
  return !fields || fields[0] === "Z" ? undefined : `${pid}@${fields[19]}`;
}

/** @param {string} pid */
function markOf(pid) {
  const variables = ofProcess(() => readFileSync(`/proc/${pid}/environ`, "utf8"), "").split("\0");
  return variables.find((variable) => variable.startsWith(`${MARK}=`))?.slice(MARK.length + 1);
}

/** What the pids of this process are counted in: a container's processes are seen from outside, by other pids. */
const pidNamespace = () => readlinkSync("/proc/self/ns/pid");

/** What is handed down to all that a run of Pulumi starts. */
const runMark = () => ({ [MARK]: `${identity(process.pid)} ${pidNamespace()}` });

/**
 * Ends what killed runs left: Pulumi's language host looks after its engine only every few minutes. What belongs to
 * a run that still lives is left alone.
 *
 * @param {{ own?: boolean, among?: string[] }} [options] own: this process's run is over too; among: pids to look at
 */
function endOrphans({ own = false, among = readdirSync("/proc") } = {}) {
  for (const pid of among.filter((name) => /^\d+$/.test(name))) {
    const [run, namespace] = (Number(pid) === process.pid ? undefined : markOf(pid))?.split(" ") ?? [];
    if (!run || namespace !== pidNamespace()) continue;
    const isMine = run === identity(process.pid);
    if (isMine ? !own : identity(run.split("@")[0] ?? "") === run) continue;
    try {
      process.kill(Number(pid), "SIGTERM");
    } catch {
      // It ended by itself.
    }
  }
}

module.exports = { endOrphans, identity, ofProcess, runMark };
