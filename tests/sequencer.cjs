"use strict";

const { join } = require("node:path");
const Sequencer = require("@jest/test-sequencer").default;

/**
 * Files that take a minute and more, so that all workers are busy to the end: the longest first, and what boots machines
 * apart from one another.
 */
const LONG = [
  "e2e/broken-node",
  "e2e/broken-netboot",
  "e2e/broken-appliance",
  "boots/matrix",
  "engine/changes",
  "engine/offline",
  "boots/orders",
  "boots/random-kills",
  "boots/uplink-ports",
  "boots/fixed-uplink",
  "boots/offline",
  "e2e/rehearsal",
  "engine/faults",
  "engine/up",
  "engine/publish",
  "boots/firmware",
  "boots/collect",
  "engine/kill",
  "boots/one-nic",
  "boots/by-hand",
  "engine/fleet",
  "engine/s3-backend",
  "plugins/aws",
  "style/style",
].map((file) => join(__dirname, `${file}.test.ts`));

/** Starts with the files that take longest, on a machine too that never ran them. */
module.exports = class LongestFirst extends Sequencer {
  /** @param {import("@jest/test-result").Test[]} tests */
  sort(tests) {
    const sorted = super.sort([...tests]);
    /** @param {import("@jest/test-result").Test} test */
    const rank = ({ path }) => (LONG.includes(path) ? LONG.indexOf(path) : LONG.length);
    return sorted.sort((one, other) => rank(one) - rank(other));
  }
};
