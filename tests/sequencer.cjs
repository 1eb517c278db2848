"use strict";

const { join } = require("node:path");
const Sequencer = require("@jest/test-sequencer").default;

/**
 * Files that take a minute and more, so that all workers are busy to the end: the longest first, and what boots machines
 * apart from one another.
 */
const LONG = [
  "e2e/broken-appliance",
  "e2e/broken-node",
  "e2e/broken-netboot",
  "engine/changes",
  "engine/offline",
  "e2e/rehearsal",
  "engine/up",
  "engine/faults",
  "boots/matrix",
  "boots/collect",
  "boots/offline",
  "engine/publish",
  "engine/kill",
  "boots/random-kills",
  "boots/orders",
  "boots/firmware",
  "boots/by-hand",
  "boots/uplink-ports",
  "boots/one-nic",
  "boots/fixed-uplink",
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
