import { existsSync } from "node:fs";
import { join } from "node:path";
import { LocalWorkspace } from "@pulumi/pulumi/automation";
import { declaredDefaults, imageOf } from "../../stack/config/defaults";
import type { StackFile } from "../../stack/stack-files";
import { TOP } from "../../stack/top";
import type { StepContext } from "../../steps/frame/context";
import { StepError } from "../../steps/frame/step-error";
import { decrypt } from "../../steps/programs/sops";
import { hostOf } from "../../steps/talos/hosts";
import { readNodeConfig } from "../../steps/talos/read-node-config";
import type { Cluster } from "./answers";

/** Fails where something is there already, before anything is made. */
export async function refuseWhatIsThere(stack: string, others: StackFile[]): Promise<void> {
  const doing = `making the stack ${stack}`;
  if (stack === "demo") throw new StepError(doing, "demo is the stack of npm run demo", "Take another name");
  const files = [
    `Pulumi.${stack}.yaml`,
    ...["controlplane.yaml", "worker.yaml", "talosconfig"].map((kind) => `config/${stack}.${kind}`),
  ];
  const there = files.filter((file) => existsSync(join(TOP, file)));
  const next =
    "Nothing was made, and nothing is ever overwritten: take another name, or remove what is there first";
  if (there.length > 0) throw new StepError(doing, `there is ${there.join(", ")} already`, next);
  const workspace = await LocalWorkspace.create({ workDir: TOP });
  const known = (await workspace.listStacks()).map(({ name }) => name.split("/").at(-1));
  if (known.includes(stack))
    throw new StepError(doing, `the backend knows a stack ${stack} already, whose file is not here`, next);
  const image = imageOf({ artifactName: stack, bootstrapVersion: "any" });
  const owner = others.find(({ given }) => imageOf({ ...given, bootstrapVersion: "any" }) === image);
  if (owner)
    throw new StepError(doing, `the stack ${owner.stack} has the artifactName ${stack} already`, next);
}

/** The plain machine config of a stack's control plane, for a further machine of its cluster. */
export async function controlPlaneOf(context: StepContext, other: string, others: StackFile[]) {
  const doing = `joining the cluster of the stack ${other}`;
  const file = others.find(({ stack }) => stack === other);
  if (!file) throw new StepError(doing, `there is no Pulumi.${other}.yaml`, "Name a stack of this checkout");
  const given = { ...declaredDefaults(), ...file.given };
  const text = await decrypt(context, {
    path: given.machineConfig ?? "",
    ageKeyFile: given.ageKeyFile || undefined,
    allowPlaintext: given.allowPlaintextSecrets === "true",
    setKey: "machineConfig",
  });
  const node = readNodeConfig(text);
  if (node.machineType === "worker")
    throw new StepError(
      doing,
      `${given.machineConfig} is a worker's`,
      "Name the stack of a control plane: only that has the cluster's secrets",
    );
  if (!node.clusterName || !node.endpoint)
    throw new StepError(
      doing,
      `${given.machineConfig} names no cluster`,
      "Name the stack of a control plane",
    );
  const cluster: Cluster = {
    stack: other,
    name: node.clusterName,
    endpoint: node.endpoint,
    vip: node.vips.find((ip) => ip === hostOf(node.endpoint)),
  };
  return { cluster, text };
}
