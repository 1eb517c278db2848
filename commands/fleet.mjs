// npm run fleet -- up nuc1 nuc2 …: many stacks, some at once.
import { readCommandLine } from "./command-line.cjs";
import { FLEET } from "./commands.cjs";
import { TOP } from "../tools/setup/context.cjs";
import { withPulumi } from "../tools/setup/pulumi.cjs";
import { scopeOfPulumi } from "../tools/setup/setup.cjs";
import {
  isOffline,
  stacksOfCheckout,
  versionOfStack,
  versionsOfCheckout,
} from "../tools/setup/talos-versions.cjs";
import { afterSetUp, runTypeScript } from "./with-tools.mjs";

const { values, positionals } = readCommandLine(FLEET);
const stacks = positionals.slice(1);

await afterSetUp(
  scopeOfPulumi(process.argv.slice(2)),
  (context) =>
    withPulumi(context, (env) =>
      runTypeScript(["commands/fleet-stacks.ts", ...process.argv.slice(2)], env, context),
    ),
  {
    offline: (values.all ? stacksOfCheckout(TOP) : stacks).some((stack) => isOffline(TOP, stack)),
    talosVersions: values.all ? versionsOfCheckout(TOP) : stacks.map((stack) => versionOfStack(TOP, stack)),
  },
);
