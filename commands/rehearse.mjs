// npm run rehearse -- --stack NAME: boots a stack's image and a virtual mini-PC, on the hardware that one likes.
import { readCommandLine } from "./command-line.cjs";
import { REHEARSE } from "./commands.cjs";
import { runWithTools } from "./with-tools.mjs";

const { stack } = readCommandLine(REHEARSE).values;

await runWithTools("commands/rehearse-stack.ts", "rehearse", { own: stack === "demo" });
