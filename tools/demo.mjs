// npm run demo: set-up, the demo's own inputs, and the stack `demo` from end to end.
import { toolEnvironment } from "./environment.cjs";
import { makeContext } from "./setup/context.cjs";
import { inForeground, runPulumi } from "./setup/pulumi.cjs";
import { setUp } from "./setup/setup.cjs";

const context = makeContext({ ask: process.env.CI !== "true" && process.stdin.isTTY === true });
try {
  await setUp("inputs", context);
  const env = toolEnvironment(context, { standIns: false });
  // Where Pulumi and Packer have to be compiled, that takes minutes: the inputs are made beside it.
  const making = inForeground("node", ["--import", "tsx", "demo/make.ts"], env, context.top);
  // What set-up is still at ends with this process.
  const made = making.then((status) => (status === 0 ? undefined : process.exit(status)));
  await Promise.all([made, setUp("demo", context)]);
  const up = ["up", "--stack", "demo", "--yes", "--skip-preview", ...process.argv.slice(2)];
  // The summary of `up` cuts long lines; this does not.
  const outputs = ["stack", "output", "--json", "--stack", "demo"];
  process.exitCode = await runPulumi([["stack", "select", "--create", "demo"], up, outputs], context);
} catch (fault) {
  context.log(/** @type {Error} */ (fault).message);
  // The inputs may still be made: that ends with this process.
  process.exit(1);
}
