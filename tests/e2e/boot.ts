import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { rehearsalSubject } from "../../stack/rehearsal-subject";
import { argumentsIn } from "../../stack/talos-kernel";
import { makeScratch } from "../../steps/frame/scratch.cjs";
import { HARDWARE } from "../../rehearsal/hardware";
import { rehearse, type Rehearsal } from "../../rehearsal/course";
import { readNodeConfig } from "../../steps/talos/read-node-config";
import { timeElsewhere } from "../../steps/talos/time-source";
import { unseenDisk } from "../../steps/talos/unseen-disk";
import { TOP, toolEnvironment } from "../tools";
import { demo } from "./demo";
import { demoInput, type Assembly } from "./images";

process.env.PATH = toolEnvironment.PATH;

/** Below the limit of a test; a rehearsal has limits of its own, far below. */
export const LIMIT_MS = 880_000;

/** Without a twin: what is on trial here is the chain. */
const ALONE = { appliance: HARDWARE.appliance, minipc: HARDWARE.minipc };

/** What the boot of an image like the demo's is checked against. */
export async function subjectOf({ path, machineConfig }: Pick<Assembly, "path" | "machineConfig">) {
  const { files } = await demoInput<Assembly>("appliance-assembly");
  const subject = rehearsalSubject(demo, { arguments: argumentsIn(files["boot.ipxe"] ?? "") });
  // Of one that sops encrypted, which is the demo's own, the keys show, and none of them is about the time.
  const config = readNodeConfig(readFileSync(resolve(TOP, machineConfig.path), "utf8"));
  return {
    ...subject,
    image: path,
    configSha256: machineConfig.sha256,
    timeElsewhere: timeElsewhere(config, subject),
    unseenDisk: unseenDisk(config),
  };
}

/**
 * Boots an image with a mini-PC like the demo's, on the hardware of a rehearsal unless another is given.
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
  const subject = { ...(await subjectOf({ path, machineConfig })), ...subjectChanges };
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
