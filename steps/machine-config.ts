import { createHash } from "node:crypto";
import { dirname } from "node:path";
import * as z from "zod";
import { clusterRecord, recordCluster } from "./lib/cluster-record";
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
  joins: z.boolean().default(false),
});

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

void runStep("machine-config", Input, async (input, context) => {
  const { ageKeyFile, allowPlaintext } = input;
  const config = await decrypt(context, {
    path: input.path,
    ageKeyFile,
    allowPlaintext,
    setKey: "machineConfig",
  });
  const doing = `checking ${input.path}`;
  const refused = await validateConfig(context, config, input.talosVersion);
  if (refused !== undefined)
    throw new StepError(doing, `Talos refuses it: ${refused}`, `Mend it: sops edit ${input.path}`);
  const { LAST_RUN: lastRunFile } = process.env;
  const runs = lastRunFile && dirname(lastRunFile);
  const leases = (runs && clusterRecord(runs)?.leases) || [];
  const { facts, faults, warnings } = readMachineConfig(config, { ...input, leases });
  if (faults.length > 0)
    throw new StepError(doing, faults.join("; "), `Mend it (sops edit ${input.path}), or the stack's config`);
  const client =
    input.talosConfig &&
    (await decrypt(context, {
      path: input.talosConfig,
      ageKeyFile,
      allowPlaintext,
      setKey: "talosConfig",
    }));
  context.log(`${facts.machineType} for ${facts.endpoint}, accepted by Talos's own loader`);
  const { joins, minipcIp } = input;
  if (runs)
    await recordCluster(runs, { ...facts, joins, leases: [...new Set([...leases, minipcIp])] }).catch(
      // What was checked is checked, also where nobody can write that down.
      (fault: Error) => context.log(`what it found is not remembered: ${fault.message}`),
    );
  return {
    ...facts,
    warnings,
    sha256: sha256(config),
    talosConfigSha256: client ? sha256(client) : undefined,
  };
});
