import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { declaredDefaults } from "../stack/config/defaults";
import { runProgram } from "../steps/frame/main";
import { StepError } from "../steps/frame/step-error";
import { loaderFor } from "../stack/talos-releases.cjs";
import { makeBaseImage } from "./base/make";
import { makeTalosIso } from "./iso/make";
import { makeMachineConfig } from "./config/make";

const folder = join(__dirname, "..", "artifacts", "demo");

function nodeTool(talosVersion: string): string {
  const program = `node-tool-${loaderFor(talosVersion)?.minor}`;
  const found = (process.env.PATH ?? "")
    .split(":")
    .map((place) => join(place, program))
    .find(existsSync);
  if (!found)
    throw new StepError(
      "making the demo's inputs",
      `${program} is not on PATH`,
      "npm run setup builds it; npm run demo does all",
    );
  return found;
}

/** Makes what the stack `demo` is configured with, each once: a base, a Talos-shaped ISO, a machine config. */
void runProgram("demo", async (context) => {
  await mkdir(folder, { recursive: true });
  const { talosVersion = "" } = declaredDefaults();
  await makeMachineConfig(context, folder, talosVersion);
  await makeTalosIso(context, folder, talosVersion, nodeTool(talosVersion));
  await makeBaseImage(context, folder);
  return undefined;
});
