// npm run verify -- FILE|s3://…: whether an image is whole, and which mini-PC it is for.
import { runWithTools } from "./with-tools.mjs";

await runWithTools("tools/verify-image.ts", "verify");
