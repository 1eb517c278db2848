"use strict";

const { spawnSync } = require("node:child_process");
const { mkdtempSync, readFileSync, rmSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

/** @typedef {{ passed: number, failed: number, skipped: number }} Count tests of a run */

/** @param {Count} count */
function countLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * Runs a command that ends with a test run.
 *
 * @param {string} command
 * @param {string} file where the run leaves its count
 * @returns {Count} a run that left none, or ended badly without a failed test, has one failure
 */
function countOf(command, file) {
  const env = { ...process.env, TEST_COUNT_FILE: file };
  const { status } = spawnSync("sh", ["-c", command], { env, stdio: ["ignore", "inherit", "inherit"] });
  /** @type {Count} */
  let count = { passed: 0, failed: 0, skipped: 0 };
  try {
    count = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    process.stdout.write(`${command}: it ended before any test was counted (status ${status})\n`);
    return { ...count, failed: 1 };
  }
  if (status === 0 || count.failed > 0) return count;
  process.stdout.write(`${command}: no test failed, and it ended with the status ${status}\n`);
  return { ...count, failed: 1 };
}

/**
 * Runs one command after the other, whatever becomes of each, and ends with one line for all.
 *
 * @param {string[]} commands
 * @returns {number} exit status
 */
function runAll(commands) {
  const folder = mkdtempSync(join(tmpdir(), "test-counts-"));
  const counts = commands.map((command, index) => countOf(command, join(folder, `${index}.json`)));
  rmSync(folder, { recursive: true, force: true });
  /** @param {keyof Count} key */
  const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
  const all = { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
  process.stdout.write(`${countLine(all)}\n`);
  return all.failed > 0 || all.passed === 0 ? 1 : 0;
}

module.exports = { countLine };

// node tests/counts.cjs COMMAND …
if (require.main === module) process.exitCode = runAll(process.argv.slice(2));
