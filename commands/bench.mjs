// npm run bench -- [--parts a,b …] [--runs N] [--write]: speed and size as ratios, on the demo's own inputs.
import { readCommandLine } from "./command-line.cjs";
import { BENCH } from "./commands.cjs";
import { toolEnvironment } from "../tools/setup/environment.cjs";
import { afterSetUp, runTypeScript } from "./with-tools.mjs";

const { parts } = readCommandLine(BENCH).values;

await afterSetUp(
  "demo",
  async (context) => {
    const env = toolEnvironment(context, { standIns: false, own: true });
    const made = await runTypeScript(["demo/make.ts"], env, context);
    return made || runTypeScript(["bench/bench.ts", ...process.argv.slice(2)], env, context);
  },
  { offline: parts.split(",").includes("i") },
);
