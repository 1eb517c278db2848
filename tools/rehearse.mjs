// npm run rehearse -- --stack NAME: boots a stack's image and a virtual mini-PC, on the hardware that one likes.
import { toolEnvironment } from "./environment.cjs";
import { makeContext } from "./setup/context.cjs";
import { inForeground } from "./setup/pulumi.cjs";
import { setUp } from "./setup/setup.cjs";

const context = makeContext({ ask: process.env.CI !== "true" && process.stdin.isTTY === true });
try {
  await setUp({ demo: false }, context);
  const env = toolEnvironment(context, { standIns: false });
  const program = ["--import", "tsx", "tools/rehearse-stack.ts", ...process.argv.slice(2)];
  process.exitCode = await inForeground("node", program, env, context.top);
} catch (fault) {
  context.log(/** @type {Error} */ (fault).message);
  process.exitCode = 1;
}
