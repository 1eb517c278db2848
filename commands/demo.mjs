// npm run demo: set-up, the demo's own inputs, and the stack `demo` from end to end.
import { readCommandLine } from "./command-line.cjs";
import { DEMO } from "./commands.cjs";
import { toolEnvironment } from "../tools/setup/environment.cjs";
import { namespacesLine } from "../tools/setup/namespaces.cjs";
import { runPulumi } from "../tools/setup/pulumi.cjs";
import { setUp } from "../tools/setup/setup.cjs";
import { afterSetUp, runTypeScript } from "./with-tools.mjs";

const { yes } = readCommandLine(DEMO).values;

await afterSetUp(
  "inputs",
  async (context) => {
    const env = toolEnvironment(context, { standIns: false, own: true });
    // Where Pulumi and Packer have to be compiled, that takes minutes: the inputs are made beside it.
    const making = runTypeScript(["demo/make.ts"], env, context).then(async (status) => {
      if (status === 0) return;
      const line = await namespacesLine(context);
      if (line) context.log(line);
      // What set-up is still at ends with this process.
      process.exit(status);
    });
    await Promise.all([making, setUp("demo", context)]).catch((fault) => {
      context.log(fault.message);
      // The inputs may still be made: that ends with this process.
      process.exit(1);
    });
    const up = ["up", "--stack", "demo", "--yes", "--skip-preview"];
    return runPulumi([["stack", "select", "--create", "demo"], up], context, { own: true });
  },
  { yes },
);
