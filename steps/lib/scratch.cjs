"use strict";

const { mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

/** In memory where the system has such a place: what lies there may be secret. */
function parentFolder() {
  const memory = "/dev/shm";
  return statSync(memory, { throwIfNoEntry: false })?.isDirectory() ? memory : tmpdir();
}

/** What the pids of this process are counted in: a container may share the folder, but not the count. */
const pidNamespace = () => /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return /** @type {NodeJS.ErrnoException} */ (fault).code === "EPERM";
  }
}

/**
 * Private folders of steps that were killed outright. Those of another count of pids are not judged: their owners may be
 * at work.
 *
 * @param {string} [parent] where they lie
 * @returns {string[]}
 */
function abandonedScratch(parent = parentFolder()) {
  const ofStep = new RegExp(`^bootstrap-pxe-[a-z-]+-${pidNamespace()}-(\\d+)-\\w+$`);
  const isAbandoned = (/** @type {string} */ name) => {
    const pid = ofStep.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  };
  return readdirSync(parent)
    .filter(isAbandoned)
    .map((name) => join(parent, name));
}

/**
 * Removes what steps that were killed outright left.
 *
 * @param {string} [parent] where it lies
 */
function sweepScratch(parent) {
  for (const folder of abandonedScratch(parent)) rmSync(folder, { recursive: true, force: true });
}

/**
 * Makes a private folder (0700) for a step of this process.
 *
 * @param {string} step
 * @param {string} [parent] where it goes
 * @returns {string}
 */
function makeScratch(step, parent = parentFolder()) {
  sweepScratch(parent);
  return mkdtempSync(join(parent, `bootstrap-pxe-${step}-${pidNamespace()}-${process.pid}-`));
}

module.exports = { abandonedScratch, isAlive, makeScratch, pidNamespace, sweepScratch };
