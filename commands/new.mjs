// npm run new -- nuc1: a stack with its machine config, encrypted.
import { readCommandLine } from "./command-line.cjs";
import { NEW } from "./commands.cjs";
import { withPulumi } from "../tools/setup/pulumi.cjs";
import { afterSetUp, runTypeScript } from "./with-tools.mjs";

readCommandLine(NEW);

await afterSetUp("new", (context) =>
  withPulumi(context, (env) =>
    runTypeScript(["commands/new-stack.ts", ...process.argv.slice(2)], env, context),
  ),
);
