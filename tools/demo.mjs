// npm run demo: set-up, the demo's own inputs, and the stack `demo` from end to end.
import { readCommandLine } from "./command-line.cjs";
import { DEMO } from "./commands.cjs";
import { toolEnvironment } from "./environment.cjs";
import { namespacesLine } from "./setup/namespaces.cjs";
import { runPulumi } from "./setup/pulumi.cjs";
import { afterSetUp, runTypeScript } from "./with-tools.mjs";

const { yes } = readCommandLine(DEMO).values;

await afterSetUp(
  { demo: true },
  async (context) => {
    const env = toolEnvironment(context, { standIns: false, own: true });
    const status = await runTypeScript(["demo/make.ts"], env, context);
    if (status !== 0) {
      const line = await namespacesLine(context);
      if (line) context.log(line);
      return status;
    }
    const up = ["up", "--stack", "demo", "--yes", "--skip-preview"];
    return runPulumi([["stack", "select", "--create", "demo"], up], context, { own: true });
  },
  { yes },
);
