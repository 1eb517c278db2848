// npm run rehearse -- --stack NAME: boots a stack's image and a virtual mini-PC, on the hardware that one likes.
import { runWithTools } from "./with-tools.mjs";

await runWithTools("tools/rehearse-stack.ts", "rehearse");
