import { inToolEnvironment } from "../tools";

/** What a run of the tests does, as far as the sum sees it. */
const run = (passed: number, failed: number, status = failed > 0 ? 1 : 0, skipped = 0) =>
  `echo '${JSON.stringify({ passed, failed, skipped })}' >"$TEST_COUNT_FILE"; echo summary; exit ${status}`;
const runAll = (...commands: string[]) => inToolEnvironment("node", ["tests/counts.cjs", ...commands]);

test.each<[string, string[], status: number, last: string]>([
  ["both good", [run(3, 0), run(4, 0)], 0, "7 passed, 0 failed"],
  ["the first fails, the second still runs", [run(3, 2), run(4, 0)], 1, "7 passed, 2 failed"],
  ["skipped ones are told", [run(3, 0, 0, 1), run(4, 0)], 0, "7 passed, 0 failed, 1 skipped"],
  ["one that ends before its count is a failure", ["exit 1", run(4, 0)], 1, "4 passed, 1 failed"],
  ["so is one that ends well without a count", [run(3, 0), "true"], 1, "3 passed, 1 failed"],
  ["so is one whose count is no count", [run(3, 0), 'echo x >"$TEST_COUNT_FILE"'], 1, "3 passed, 1 failed"],
  ["so is one that ends badly after good tests", [run(3, 0, 7), run(4, 0)], 1, "7 passed, 1 failed"],
  ["no test at all", [run(0, 0)], 1, "0 passed, 0 failed"],
])("the line of several runs: %s", async (_what, commands, status, last) => {
  const { exitCode, stdout } = await runAll(...commands);
  expect(stdout.split("\n").at(-1)).toBe(last);
  expect(exitCode).toBe(status);
});
