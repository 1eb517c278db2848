import { writeFileSync } from "node:fs";
import { join } from "node:path";
import execa from "execa";
import { TOP } from "../tools";
import { testFolder } from "./run-step";

const folder = testFolder();

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("a program that %s stops says so in one line that names it once", async (signal, status) => {
  const program = join(folder, "slow.ts");
  writeFileSync(
    program,
    `import { runProgram } from ${JSON.stringify(join(TOP, "steps/frame/main"))};
    void runProgram("slow", async ({ signal, log }) => {
      log("at work");
      const stopped = new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      const alive = setInterval(() => undefined, 1000);
      await stopped.finally(() => clearInterval(alive));
    });`,
  );
  const child = execa("node", ["--import", "tsx", program], { cwd: TOP, reject: false });
  child.stderr?.once("data", () => child.kill(signal));
  const { exitCode, stderr } = await child;
  expect(stderr.split("\n")).toEqual([
    "slow: at work",
    `slow: stopped by ${signal}. Run the same command again to go on from here`,
  ]);
  expect(exitCode).toBe(status);
});
