"use strict";

/** @typedef {{ version: string, atLeast?: string, below?: string }} Pin the version to bring, and the range that is taken where it is found */

/** @type {Record<string, Pin>} */
const PINS = require("../versions.json");

/**
 * The first dotted triple in what a program prints about itself.
 *
 * @param {string} text
 * @returns {string | undefined}
 */
function versionIn(text) {
  const found = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return found ? `${found[1]}.${found[2]}.${found[3] ?? 0}` : undefined;
}

/**
 * Negative, zero or positive as a is older than, the same as or newer than b.
 *
 * @param {string} a
 * @param {string} b
 */
function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number));
  const at = [0, 1, 2].find((index) => left?.[index] !== right?.[index]) ?? 0;
  return (left?.[at] ?? 0) - (right?.[at] ?? 0);
}

/**
 * Whether a version that was found does for a pin: from `atLeast` (else the pinned version) up to, not with, `below`.
 *
 * @param {string | undefined} version
 * @param {Pin} pin
 */
function fits(version, { version: pinned, atLeast = pinned, below }) {
  if (version === undefined) return false;
  return (
    compareVersions(version, atLeast) >= 0 && (below === undefined || compareVersions(version, below) < 0)
  );
}

module.exports = { PINS, versionIn, compareVersions, fits };
