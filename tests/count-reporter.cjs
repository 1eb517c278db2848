"use strict";

const { writeFileSync } = require("node:fs");
const { countLine } = require("./counts.cjs");

// The last line of a test run, alone: what passed and what failed. A run that is one of several leaves its count for the sum.
module.exports = class CountReporter {
  /** @param {unknown} _contexts @param {import("@jest/reporters").AggregatedResult} results */
  onRunComplete(_contexts, results) {
    const broken = results.testResults.filter((suite) => suite.testExecError).length;
    /** @type {import("./counts.cjs").Count} */
    const count = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + broken,
      skipped: results.numPendingTests,
    };
    const { TEST_COUNT_FILE } = process.env;
    if (TEST_COUNT_FILE) writeFileSync(TEST_COUNT_FILE, JSON.stringify(count));
    else process.once("exit", () => process.stdout.write(`${countLine(count)}\n`));
  }
};
