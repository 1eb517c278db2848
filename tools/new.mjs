// npm run new -- nuc1: a stack with its machine config, encrypted.
import { makeContext } from "./setup/context.cjs";
import { inForeground, withPulumi } from "./setup/pulumi.cjs";
import { setUp } from "./setup/setup.cjs";

const context = makeContext({ ask: process.env.CI !== "true" && process.stdin.isTTY === true });
try {
  await setUp({ demo: false }, context);
  const program = ["--import", "tsx", "tools/new-stack.ts", ...process.argv.slice(2)];
  process.exitCode = await withPulumi(context, (env) => inForeground("node", program, env, context.top));
} catch (fault) {
  context.log(/** @type {Error} */ (fault).message);
  process.exitCode = 1;
}
