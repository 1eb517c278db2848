// npm run pulumi -- ARGS: the Pulumi CLI of set-up, with the tools on its PATH.
import { makeContext } from "./setup/context.cjs";
import { runPulumi } from "./setup/pulumi.cjs";
import { scopeOfPulumi, setUp } from "./setup/setup.cjs";

const context = makeContext({ ask: process.env.CI !== "true" && process.stdin.isTTY === true });
try {
  await setUp(scopeOfPulumi(process.argv.slice(2)), context);
  process.exitCode = await runPulumi([process.argv.slice(2)], context);
} catch (fault) {
  context.log(/** @type {Error} */ (fault).message);
  process.exitCode = 1;
}
