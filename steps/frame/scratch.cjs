"use strict";

const fs = require("node:fs");
const { lstatSync, mkdtempSync, readdirSync, statSync } = fs;
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { isAlive, pidNamespace } = require("./processes.cjs");

/** In memory where the system has such a place: what lies there may be secret. */
function parentFolder() {
  const memory = "/dev/shm";
  return statSync(memory, { throwIfNoEntry: false })?.isDirectory() ? memory : tmpdir();
}

/**
 * Whether a folder is this user's. Somebody else's is theirs to remove, and its like may have gone meanwhile.
 *
 * @param {string} path @param {number | undefined} user
 */
function isOf(path, user) {
  return lstatSync(path, { throwIfNoEntry: false })?.uid === user;
}

/**
 * Private folders of this user's steps that were killed outright. Those of another count of pids are not judged: their owners
 * may be at work.
 *
 * @param {string} [parent] where they lie
 * @param {number} [user] whose they are
 * @returns {string[]}
 */
function abandonedScratch(parent = parentFolder(), user = process.getuid?.()) {
  const ofStep = new RegExp(`^bootstrap-pxe-[a-z-]+-${pidNamespace()}-(\\d+)-\\w+$`);
  const isAbandoned = (/** @type {string} */ name) => {
    const pid = ofStep.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  };
  return readdirSync(parent)
    .filter(isAbandoned)
    .map((name) => join(parent, name))
    .filter((path) => isOf(path, user));
}

/**
 * Removes what steps of this user left that were killed outright. What cannot be removed is passed over: it is no reason not to
 * work.
 *
 * @param {string} [parent] where it lies
 * @param {number} [user] whose it is
 */
function sweepScratch(parent, user) {
  for (const folder of abandonedScratch(parent, user)) {
    try {
      fs.rmSync(folder, { recursive: true, force: true });
    } catch {
      // A folder of root's in it, or a file system that is read-only by now.
    }
  }
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

module.exports = { abandonedScratch, makeScratch, sweepScratch };
