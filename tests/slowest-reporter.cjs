"use strict";

const { relative } = require("node:path");

const SHOWN = 10;

/**
 * The slowest of what was timed, a line each.
 *
 * @param {string} title
 * @param {{ ms: number, what: string }[]} timed
 */
function slowest(title, timed) {
  const shown = [...timed].sort((one, other) => other.ms - one.ms).slice(0, SHOWN);
  const lines = shown.map(({ ms, what }) => `${(ms / 1000).toFixed(1).padStart(8)} s  ${what}\n`);
  return `\n${title}\n${lines.join("")}`;
}

// After a run of several files: where its time went.
module.exports = class SlowestReporter {
  /** @param {import("@jest/types").Config.GlobalConfig} config */
  constructor({ rootDir }) {
    this.rootDir = rootDir;
  }

  /** @param {unknown} _contexts @param {import("@jest/reporters").AggregatedResult} results */
  onRunComplete(_contexts, { testResults }) {
    if (testResults.length < 2) return;
    const files = testResults.map(({ testFilePath, perfStats }) => ({
      ms: perfStats.runtime,
      what: relative(this.rootDir, testFilePath),
    }));
    const tests = testResults.flatMap(({ testFilePath, testResults }) =>
      testResults.map(({ duration, fullName }) => ({
        ms: duration ?? 0,
        what: `${relative(this.rootDir, testFilePath)}: ${fullName}`,
      })),
    );
    process.stdout.write(slowest("Slowest files:", files) + slowest("Slowest tests:", tests));
  }
};
