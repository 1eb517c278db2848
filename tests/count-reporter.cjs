// The last line of a test run, alone: what passed and what failed.
module.exports = class CountReporter {
  /** @param {unknown} _contexts @param {import("@jest/reporters").AggregatedResult} results */
  onRunComplete(_contexts, results) {
    const broken = results.testResults.filter((suite) => suite.testExecError).length;
    this.line = `${results.numPassedTests} passed, ${results.numFailedTests + broken} failed`;
    if (results.numPendingTests > 0) this.line += `, ${results.numPendingTests} skipped`;
    process.once("exit", () => process.stdout.write(`${this.line}\n`));
  }
};
