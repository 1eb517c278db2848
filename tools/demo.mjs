// npm run demo: set-up, the demo's own inputs, and the stack `demo` from end to end.
import { toolEnvironment } from "./environment.cjs";
import { makeContext } from "./setup/context.cjs";
import { inForeground, runPulumi } from "./setup/pulumi.cjs";
import { setUp } from "./setup/setup.cjs";

const context = makeContext({ ask: process.env.CI !== "true" && process.stdin.isTTY === true });
try {
  await setUp({ demo: true }, context);
  const env = toolEnvironment(context, { standIns: false });
  process.exitCode = await inForeground("node", ["--import", "tsx", "demo/make.ts"], env, context.top);
  if (process.exitCode === 0) {
    const up = ["up", "--stack", "demo", "--yes", "--skip-preview", ...process.argv.slice(2)];
    process.exitCode = await runPulumi([["stack", "select", "--create", "demo"], up], context);
  }
} catch (fault) {
  context.log(/** @type {Error} */ (fault).message);
  process.exitCode = 1;
}
