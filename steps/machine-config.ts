import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type * as z from "zod";
import * as contract from "./contracts/machine-config";
import { clusterRecord, recordCluster } from "./talos/cluster-record";
import { decrypt } from "./programs/sops";
import type { StepContext } from "./frame/context";
import { runStep } from "./frame/main";
import { StepError } from "./frame/step-error";
import { validateConfig } from "./talos/talos-config";
import { loaderFor } from "../stack/talos-releases.cjs";
import { clientConfigFault } from "./talos/client-config";
import { findingsOf } from "./talos/findings";
import { imagesOf } from "./talos/image-list";
import { removalPatch } from "./talos/mirror-patch";
import type { NodeConfig } from "./talos/node-config";
import { readNodeConfig } from "./talos/read-node-config";
import { servedConfig } from "./talos/served-config";
import { upstreamsOf } from "./talos/served-node";
import { timeElsewhere } from "./talos/time-source";
import { unseenDisk } from "./talos/unseen-disk";

type Request = z.output<typeof contract.Input>;

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** What the appliance of an offline stack serves: the images, and the config that makes the machine take them from there. */
async function offlineParts(context: StepContext, input: Request, config: string, node: NodeConfig) {
  const served = servedConfig(config, node, input);
  if (!input.offline) return { images: [], removal: "", served };
  const refused = await validateConfig(context, served.text, input.talosVersion);
  if (refused !== undefined)
    throw new StepError(
      `adding the appliance's mirrors to ${input.path}`,
      `Talos refuses what comes of it: ${refused}`,
      `Remove from it what it says of mirrors, and of time servers: sops edit ${input.path}`,
    );
  const images = imagesOf(node, input, input.extraImages).map(({ reference }) => reference);
  return { images, removal: removalPatch(upstreamsOf(node, input), input.talosVersion), served };
}

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
    throw new StepError(doing, `Talos refuses it: ${refused}`, `Fix it: sops edit ${input.path}`);
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
  const { images, removal, served } = await offlineParts(context, input, config, node);
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
  const { minipcIp, encryptedSha256, code } = input;
  if (runs)
    await recordCluster(runs, {
      ...facts,
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
    timeElsewhere: timeElsewhere(served.node, input),
    unseenDisk: unseenDisk(node),
    warnings: findings.map(({ name, text }) => ({ name, text })),
    images,
    mirrorPatch: served.patch,
    mirrorRemoval: removal,
    sha256: sha256(served.text),
    talosConfigSha256: client ? sha256(client) : undefined,
  };
});
