"use strict";

const { join } = require("node:path");
const Sequencer = require("@jest/test-sequencer").default;

/** Files that take a minute and more, in the order that keeps two workers busy to the end: the longest first. */
const LONG = [
  "e2e/broken-netboot",
  "e2e/rehearsal",
  "engine/changes",
  "e2e/broken-appliance",
  "engine/up",
  "engine/faults",
  "engine/publish",
  "engine/random-kills",
  "engine/kill",
  "engine/fleet",
  "engine/s3-backend",
  "plugins/aws",
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
