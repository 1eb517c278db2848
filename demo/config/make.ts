import { existsSync } from "node:fs";
import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "../../steps/store/files";
import { run } from "../../steps/programs/process";
import { NO_SOPS_CONFIG } from "../../steps/programs/sops";
import type { StepContext } from "../../steps/frame/context";
import { generateConfigs, type ConfigRequest } from "../../steps/talos/talos-config";
import { ingredients, isUpToDate, noteMade } from "../made";

/** Where the demo's node answers; Pulumi.demo.yaml leases it this address. */
const ENDPOINT = "https://10.10.10.100:6443";

/**
 * Makes the demo's machine config and client config with Talos's own generator, encrypted by sops to an age key made
 * on the spot before they touch a disk. Nothing is made again while all three files are there, made from the same request.
 */
export async function makeMachineConfig(
  context: StepContext,
  folder: string,
  version: string,
): Promise<void> {
  const key = join(folder, "age.key");
  const files = { controlplane: join(folder, "controlplane.yaml"), talosconfig: join(folder, "talosconfig") };
  const request: ConfigRequest = {
    cluster: "demo",
    endpoint: ENDPOINT,
    talosVersion: version,
    installImage: `ghcr.io/siderolabs/installer:${version}`,
    installDisk: "/dev/nvme0n1",
  };
  const from = await ingredients([], JSON.stringify(request));
  if (existsSync(key) && existsSync(files.talosconfig) && isUpToDate(files.controlplane, from)) return;
  context.log("machine config by Talos's own generator, encrypted to a new age key");
  await rm(key, { force: true });
  await run(context, "age-keygen", ["-o", key]);
  await chmod(key, 0o600);
  const recipient = (await run(context, "age-keygen", ["-y", key])).stdout.trim();

  const made = await generateConfigs(context, request);
  const flags = [
    ...NO_SOPS_CONFIG,
    ...["encrypt", "--age", recipient],
    ...["--input-type", "yaml", "--output-type", "yaml"],
  ];
  for (const name of ["controlplane", "talosconfig"] as const) {
    const named = ["--filename-override", files[name]];
    const { stdout } = await run(context, "sops", [...flags, ...named], { input: made[name] });
    await writeWhole(files[name], `${stdout}\n`);
  }
  await noteMade(files.controlplane, from);
}
