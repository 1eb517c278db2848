// npm run verify -- FILE|s3://…: whether an image is whole, and which mini-PC it is for.
import { readCommandLine } from "./command-line.cjs";
import { VERIFY } from "./commands.cjs";
import { runWithTools } from "./with-tools.mjs";

readCommandLine(VERIFY);

await runWithTools("commands/verify-image.ts", "verify");
