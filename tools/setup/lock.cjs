"use strict";

const { spawn, spawnSync } = require("node:child_process");
const { closeSync, mkdirSync, openSync } = require("node:fs");
const { once } = require("node:events");
const { join } = require("node:path");

/**
 * Runs one set-up at a time for a cache. The kernel holds the lock for as long as this process has the file
 * open (flock(2)), so a killed set-up leaves none behind.
 *
 * @template T
 * @param {{ cache: string, log: (line: string) => void }} context
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
async function withLock({ cache, log }, work) {
  mkdirSync(cache, { recursive: true });
  const lock = openSync(join(cache, "lock"), "a");
  try {
    const free = spawnSync("flock", ["--nonblock", "3"], { stdio: ["ignore", "ignore", "ignore", lock] });
    if (free.error) throw new Error("flock (package util-linux) is not on this machine");
    if (free.status !== 0) {
      log("Another set-up is at work; waiting for it.");
      await once(spawn("flock", ["3"], { stdio: ["ignore", "ignore", "ignore", lock] }), "exit");
    }
    return await work();
  } finally {
    closeSync(lock);
  }
}

module.exports = { withLock };
