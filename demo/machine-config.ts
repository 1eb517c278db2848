import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "../steps/lib/files";
import { run } from "../steps/lib/process";
import type { StepContext } from "../steps/lib/step";

/** Where the demo's node answers; Pulumi.demo.yaml leases it this address. */
const ENDPOINT = "https://10.10.10.100:6443";

/**
 * Makes the demo's machine config and client config by the real `talosctl gen config`, encrypted by sops to an age
 * key made on the spot. Nothing is made again while all three files are there.
 */
export async function makeMachineConfig(
  context: StepContext,
  folder: string,
  version: string,
): Promise<void> {
  const key = join(folder, "age.key");
  const files = { controlplane: join(folder, "controlplane.yaml"), talosconfig: join(folder, "talosconfig") };
  if ([key, ...Object.values(files)].every((file) => existsSync(file))) return;
  context.log("machine config by talosctl gen config, encrypted to a new age key");
  await rm(key, { force: true });
  await run(context, "age-keygen", ["-o", key]);
  await chmod(key, 0o600);
  const recipient = (await run(context, "age-keygen", ["-y", key])).stdout.trim();

  const secrets = await mkdtemp(join(context.scratch, "gen-"));
  const gen = [
    "gen",
    "config",
    "demo",
    ENDPOINT,
    "--talos-version",
    version,
    "--install-image",
    `ghcr.io/siderolabs/installer:${version}`,
  ];
  await run(context, "talosctl", [
    ...gen,
    "--install-disk",
    "/dev/vda",
    "--with-docs=false",
    "--with-examples=false",
    "--output",
    secrets,
  ]);
  for (const [name, path] of [
    ["controlplane.yaml", files.controlplane],
    ["talosconfig", files.talosconfig],
  ] as const) {
    const flags = [
      "encrypt",
      "--age",
      recipient,
      "--input-type",
      "yaml",
      "--output-type",
      "yaml",
      join(secrets, name),
    ];
    await writeWhole(path, `${(await run(context, "sops", flags)).stdout}\n`);
  }
  await rm(secrets, { recursive: true });
}
