import { toolEnvironment } from "./environment.cjs";
import { makeContext } from "./setup/context.cjs";
import { inForeground } from "./setup/pulumi.cjs";
import { setUp } from "./setup/setup.cjs";

/**
 * Sets up what this machine lacks, then runs a TypeScript program of tools/ with the tools on its PATH and this one's
 * arguments, and ends as it does.
 *
 * @param {string} program a path from the checkout's top
 * @param {import("./setup/setup.cjs").Scope} scope what it wants of set-up
 */
export async function runWithTools(program, scope) {
  const context = makeContext({ ask: process.env.CI !== "true" && process.stdin.isTTY === true });
  try {
    await setUp(scope, context);
    const env = toolEnvironment(context, { standIns: false });
    const flags = ["--import", "tsx", program, ...process.argv.slice(2)];
    process.exitCode = await inForeground("node", flags, env, context.top);
  } catch (fault) {
    context.log(/** @type {Error} */ (fault).message);
    process.exitCode = 1;
  }
}
