import { createHash } from "node:crypto";
import * as z from "zod";
import { readMachineConfig } from "./lib/machine-config";
import { decrypt } from "./lib/sops";
import { runStep } from "./lib/step";
import { StepError } from "./lib/step-error";
import { validateConfig } from "./lib/talos-config";

const Input = z.object({
  path: z.string(),
  talosConfig: z.string().optional(),
  ageKeyFile: z.string().optional(),
  allowPlaintext: z.boolean(),
  talosVersion: z.string(),
  minipcIp: z.string(),
  minipcMac: z.string(),
  applianceCidr: z.string(),
});

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

void runStep("machine-config", Input, async (input, context) => {
  const { ageKeyFile, allowPlaintext } = input;
  const encrypt = (file: string) =>
    `sops encrypt --in-place --age AGE_PUBLIC_KEY --input-type yaml --output-type yaml ${file}`;
  const config = await decrypt(context, {
    path: input.path,
    ageKeyFile,
    allowPlaintext,
    setKey: "machineConfig",
    madeBy: `talosctl gen config CLUSTER https://${input.minipcIp}:6443 --talos-version ${input.talosVersion} --install-image ghcr.io/siderolabs/installer:${input.talosVersion} --install-disk /dev/DISK --output FOLDER, its controlplane.yaml as ${input.path}, then ${encrypt(input.path)}`,
  });
  const doing = `checking ${input.path}`;
  const refused = await validateConfig(context, config);
  if (refused !== undefined)
    throw new StepError(doing, `Talos refuses it: ${refused}`, `Mend it: sops edit ${input.path}`);
  const { facts, faults } = readMachineConfig(config, input);
  if (faults.length > 0)
    throw new StepError(doing, faults.join("; "), `Mend it (sops edit ${input.path}), or the stack's config`);
  const client =
    input.talosConfig &&
    (await decrypt(context, {
      path: input.talosConfig,
      ageKeyFile,
      allowPlaintext,
      setKey: "talosConfig",
      madeBy: `the talosconfig that talosctl gen config wrote beside the machine config (a second run would make another cluster), then ${encrypt(input.talosConfig)}`,
    }));
  context.log(`${facts.machineType} for ${facts.endpoint}, accepted by Talos's own loader`);
  return { ...facts, sha256: sha256(config), talosConfigSha256: client ? sha256(client) : undefined };
});
