// npm run fleet -- up nuc1 nuc2 …: many stacks, some at once.
import { readCommandLine } from "./command-line.cjs";
import { FLEET } from "./commands.cjs";
import { withPulumi } from "./setup/pulumi.cjs";
import { scopeOfPulumi } from "./setup/setup.cjs";
import { afterSetUp, runTypeScript } from "./with-tools.mjs";

readCommandLine(FLEET);

await afterSetUp(scopeOfPulumi(process.argv.slice(2)), (context) =>
  withPulumi(context, (env) =>
    runTypeScript(["tools/fleet-stacks.ts", ...process.argv.slice(2)], env, context),
  ),
);
