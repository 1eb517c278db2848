// npm run node -- --stack NAME: follows a stack's mini-PC until it is a Ready node.
import { readCommandLine } from "./command-line.cjs";
import { NODE } from "./commands.cjs";
import { TOP } from "../tools/setup/context.cjs";
import { versionOfStack } from "../tools/setup/talos-versions.cjs";
import { runWithTools } from "./with-tools.mjs";

const { stack = "" } = readCommandLine(NODE).values;

await runWithTools("commands/follow-node.ts", "node", {
  own: stack === "demo",
  talosVersions: [versionOfStack(TOP, stack)],
});
