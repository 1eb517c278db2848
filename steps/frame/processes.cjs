"use strict";

const { readFileSync, readlinkSync } = require("node:fs");

/** The kernel's ticks in a second, in which proc(5) gives times: the same on every Linux (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** What the pids of this process are counted in: a container may share a folder, but not the count. */
const pidNamespace = () => /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";

/**
 * What proc(5) tells of a process in its stat, from field 3, the state, on: those before are the pid, and a name that may hold
 * spaces.
 *
 * @param {number | string} pid
 * @returns {string[] | undefined} undefined when it is gone, or not to be seen
 */
function statFields(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
  } catch {
    return undefined;
  }
}

/**
 * Whether a process has not ended. One that has and was never waited for (state Z) has: in a container, process 1 may wait for nobody.
 *
 * @param {number} pid
 */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return statFields(pid)?.[0] !== "Z";
  } catch (fault) {
    return /** @type {NodeJS.ErrnoException} */ (fault).code === "EPERM";
  }
}

/**
 * The parent of a process, field 4 of its stat.
 *
 * @param {number | string} pid
 */
const parentOf = (pid) => statFields(pid)?.[1];

/**
 * When a process started, field 22 of its stat, in ticks since the machine did.
 *
 * @param {number | string} pid
 */
const startedAt = (pid) => statFields(pid)?.[19];

module.exports = { TICKS_PER_SECOND, isAlive, parentOf, pidNamespace, startedAt, statFields };
