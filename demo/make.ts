import { join } from "node:path";
import { runProgram } from "../steps/lib/step";
import { makeBaseImage } from "./base/make";

const folder = join(__dirname, "..", "artifacts", "demo");

void runProgram("demo", async (context) => ({
  base: await makeBaseImage(context, folder),
}));
