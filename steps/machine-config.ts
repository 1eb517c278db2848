import { createHash } from "node:crypto";
import { dirname } from "node:path";
import * as contract from "./contracts/machine-config";
import { clusterRecord, recordCluster } from "./talos/cluster-record";
import { decrypt } from "./programs/sops";
import { runStep } from "./frame/step";
import { StepError } from "./frame/step-error";
import { validateConfig } from "./talos/talos-config";
import { loaderFor } from "../stack/talos-releases.cjs";
import { clientConfigFault } from "./talos/client-config";
import { findingsOf } from "./talos/findings";
import { readNodeConfig } from "./talos/read-node-config";
import { timeElsewhere } from "./talos/time-source";
import { unseenDisk } from "./talos/unseen-disk";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

void runStep("machine-config", contract, async (input, context) => {
  const { ageKeyFile, allowPlaintext } = input;
  const config = await decrypt(context, {
    path: input.path,
    ageKeyFile,
    allowPlaintext,
    setKey: "machineConfig",
    talosVersion: input.talosVersion,
  });
  const doing = `checking ${input.path}`;
  const refused = await validateConfig(context, config, input.talosVersion);
  if (refused !== undefined)
    throw new StepError(doing, `Talos refuses it: ${refused}`, `Mend it: sops edit ${input.path}`);
  const { LAST_RUN: lastRunFile } = process.env;
  const runs = lastRunFile && dirname(lastRunFile);
  const leases = (runs && clusterRecord(runs)?.leases) || [];
  const node = readNodeConfig(config);
  const findings = findingsOf(node, { ...input, leases });
  const faults = findings.filter(({ level }) => level === "error");
  if (faults.length > 0) {
    const found = faults.map(({ text }) => text).join("; ");
    throw new StepError(doing, found, `Fix it (sops edit ${input.path}), or the stack's config`);
  }
  const client =
    input.talosConfig &&
    (await decrypt(context, {
      path: input.talosConfig,
      ageKeyFile,
      allowPlaintext,
      setKey: "talosConfig",
    }));
  const clientFault = client === undefined ? undefined : clientConfigFault(client);
  if (clientFault)
    throw new StepError(
      `checking ${input.talosConfig}`,
      clientFault,
      "Set talosConfig to the client config that was made with the machine config, or unset it",
    );
  const { machineType, endpoint, cluster, install } = node;
  const facts = { machineType, endpoint, installImage: install.image, cluster };
  const what = node.isPartial ? "a part of a machine config" : `${machineType} for ${endpoint}`;
  context.log(`${what}, accepted by the loader of Talos ${loaderFor(input.talosVersion)?.release}`);
  const { joins, minipcIp, encryptedSha256, code } = input;
  if (runs)
    await recordCluster(runs, {
      ...facts,
      joins,
      leases: [...new Set([...leases, minipcIp])],
      node,
      encryptedSha256,
      code,
    }).catch(
      // What was checked is checked, also where nobody can write that down.
      (fault: Error) => context.log(`what it found is not remembered: ${fault.message}`),
    );
  return {
    ...facts,
    timeElsewhere: timeElsewhere(node, input),
    unseenDisk: unseenDisk(node),
    warnings: findings.map(({ name, text }) => ({ name, text })),
    sha256: sha256(config),
    talosConfigSha256: client ? sha256(client) : undefined,
  };
});
