// npm run collect -- FILE: what the journal of an appliance says, out of its disk.
import { readCommandLine } from "./command-line.cjs";
import { COLLECT } from "./commands.cjs";
import { runWithTools } from "./with-tools.mjs";

readCommandLine(COLLECT);

await runWithTools("commands/collect-logs.ts", "collect");
