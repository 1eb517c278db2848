import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./process";
import type { StepContext } from "./step";

export interface ClusterRequest {
  cluster: string;
  endpoint: string;
  talosVersion: string;
  installImage: string;
  installDisk: string;
  patches?: string[];
  fromControlPlane?: string;
}

/** Makes machine and client config by talosctl. Plain text is in the step's scratch folder alone, which is memory. */
export async function generateConfigs(
  context: StepContext,
  {
    cluster,
    endpoint,
    talosVersion,
    installImage,
    installDisk,
    patches = [],
    fromControlPlane,
  }: ClusterRequest,
): Promise<{ controlplane: string; worker: string; talosconfig: string }> {
  const folder = await mkdtemp(join(context.scratch, "gen-"));
  const flags = ["--talos-version", talosVersion, "--install-image", installImage];
  if (fromControlPlane) {
    await writeFile(join(folder, "from.yaml"), fromControlPlane, { mode: 0o600 });
    const from = ["--from-controlplane-config", join(folder, "from.yaml")];
    await run(context, "talosctl", [
      "gen",
      "secrets",
      ...from,
      "--output-file",
      join(folder, "secrets.yaml"),
    ]);
    flags.push("--with-secrets", join(folder, "secrets.yaml"));
  }
  flags.push(...patches.flatMap((patch) => ["--config-patch", patch]));
  const where = ["--install-disk", installDisk, "--with-docs=false", "--with-examples=false"];
  const gen = ["gen", "config", cluster, endpoint, ...flags, ...where, "--output", join(folder, "out")];
  await run(context, "talosctl", gen);
  const [controlplane, worker, talosconfig] = (await Promise.all(
    ["controlplane.yaml", "worker.yaml", "talosconfig"].map((name) =>
      readFile(join(folder, "out", name), "utf8"),
    ),
  )) as [string, string, string];
  await rm(folder, { recursive: true });
  return { controlplane, worker, talosconfig };
}
