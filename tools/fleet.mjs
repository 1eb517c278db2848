// npm run fleet -- up nuc1 nuc2 …: many stacks, some at once.
import { makeContext } from "./setup/context.cjs";
import { inForeground, withPulumi } from "./setup/pulumi.cjs";
import { scopeOfPulumi, setUp } from "./setup/setup.cjs";

const context = makeContext({ ask: process.env.CI !== "true" && process.stdin.isTTY === true });
try {
  await setUp(scopeOfPulumi(process.argv.slice(2)), context);
  const program = ["--import", "tsx", "tools/fleet-stacks.ts", ...process.argv.slice(2)];
  process.exitCode = await withPulumi(context, (env) => inForeground("node", program, env, context.top));
} catch (fault) {
  context.log(/** @type {Error} */ (fault).message);
  process.exitCode = 1;
}
