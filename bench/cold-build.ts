import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BASE_IMAGE } from "../demo/base/make";
import { sha256File } from "../steps/store/files";
import { run } from "../steps/programs/process";
import type { StepContext } from "../steps/frame/context";
import { Stack } from "./pulumi";
import { seconds } from "./runs";
import { atMost, type Bench } from "./setting";
import type { Figure } from "./table";

/** Packer and nothing else, from the same source, with the same accelerator. */
async function barePacker({ context, checkout, env, accelerator }: Bench): Promise<void> {
  const [source, key] = [checkout.path("artifacts/demo", BASE_IMAGE), join(context.scratch, "key")];
  await run(context, "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const variables = {
    source_path: source,
    source_sha256: await sha256File(source),
    output_directory: checkout.path("artifacts/bare-packer"),
    ssh_private_key_file: key,
    ssh_public_key: readFileSync(`${key}.pub`, "utf8").trim(),
    accelerator,
    offline: "true",
  };
  const flags = Object.entries(variables).map(([name, value]) => `-var=${name}=${value}`);
  await run(context, "packer", ["build", "-only=qemu.cloud-image", ...flags, "packer/bootstrap.pkr.hcl"], {
    cwd: checkout.top,
    env: { ...env, CHECKPOINT_DISABLE: "1", PACKER_CACHE_DIR: checkout.path("artifacts/packer-cache") },
  });
}

export async function coldBuild(bench: Bench, log: StepContext["log"]): Promise<Figure[]> {
  const { context, checkout, env } = bench;
  const cold = new Stack(context, env, checkout.top, "cold");
  await checkout.stack("cold", { artifactName: "cold" });
  const packer = await seconds({ measured: () => barePacker(bench) }, 0);
  rmSync(checkout.path("artifacts/bare-packer"), { recursive: true });
  log(`packer build ${packer.toFixed(1)} s`);
  for (const made of ["cache", "talos"]) rmSync(checkout.path("artifacts", made), { recursive: true });
  const up = await seconds({ measured: () => cold.up() }, 0);
  log(`up from nothing ${up.toFixed(1)} s`);
  return [
    {
      what: "(d) a cold build, from command to image",
      unit: "s",
      here: { what: "`up` with nothing made, rehearsal off", values: [up] },
      against: { what: "`packer build` of the same base", values: [packer] },
      target: atMost(1.15),
    },
  ];
}
