import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { rehearsalSubject } from "../../components/rehearsal-subject";
import { checkConfig } from "../../config";
import { makeScratch } from "../../steps/lib/scratch.cjs";
import { HARDWARE } from "../../steps/rehearsal/hardware";
import { rehearse, type Rehearsal } from "../../steps/rehearsal/rehearse";
import { TOP, toolEnvironment } from "../tools";
import type { Assembly } from "./images";

process.env.PATH = toolEnvironment.PATH;

/** Below the limit of a test; a rehearsal has limits of its own, far below. */
export const LIMIT_MS = 880_000;

const { config } = parse(readFileSync(join(TOP, "Pulumi.demo.yaml"), "utf8")) as {
  config: Record<string, string>;
};
/** The config of the demo's stack. */
export const demo = checkConfig(
  Object.fromEntries(Object.entries(config).map(([key, value]) => [key.split(":")[1] as string, value])),
  "demo",
);

/** Without a twin: what is on trial here is the chain. */
const ALONE = { appliance: HARDWARE.appliance, minipc: HARDWARE.minipc };

/**
 * Boots an image with a mini-PC like the demo's, on the hardware of a rehearsal unless told otherwise.
 *
 * @returns the record, and the folder with the evidence, which goes with the image's
 */
export async function boot(
  { path, machineConfig }: Pick<Assembly, "path" | "machineConfig">,
  changes: Partial<Rehearsal> = {},
  subjectChanges: Partial<Rehearsal["subject"]> = {},
) {
  const folder = mkdtempSync(join(dirname(path), "evidence-"));
  const scratch = makeScratch("rehearse");
  const context = { signal: AbortSignal.timeout(LIMIT_MS), scratch, log: () => undefined };
  const subject = {
    ...rehearsalSubject(demo),
    image: path,
    configSha256: machineConfig.sha256,
    ...subjectChanges,
  };
  try {
    const record = await rehearse(
      context,
      { subject, accelerator: "auto", hardware: ALONE, ...changes },
      folder,
    );
    return { record, folder };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
