// npm run bench -- [--only a,b …] [--runs N] [--write]: speed and size as ratios, on the demo's own inputs.
import { toolEnvironment } from "./environment.cjs";
import { makeContext } from "./setup/context.cjs";
import { inForeground } from "./setup/pulumi.cjs";
import { setUp } from "./setup/setup.cjs";

const context = makeContext({ ask: process.env.CI !== "true" && process.stdin.isTTY === true });
try {
  await setUp("demo", context);
  const env = toolEnvironment(context, { standIns: false });
  for (const program of [["demo/make.ts"], ["bench/bench.ts", ...process.argv.slice(2)]]) {
    process.exitCode = await inForeground("node", ["--import", "tsx", ...program], env, context.top);
    if (process.exitCode !== 0) break;
  }
} catch (fault) {
  context.log(/** @type {Error} */ (fault).message);
  process.exitCode = 1;
}
