import { existsSync } from "node:fs";
import { startersOf } from "../steps/talos/clusters";
import type { StepContext } from "../steps/frame/context";
import { runProgram } from "../steps/frame/main";
import { StepError } from "../steps/frame/step-error";
import { decrypt } from "../steps/programs/sops";
import { isElsewhere } from "../steps/talos/hosts";
import type { NodeConfig } from "../steps/talos/node-config";
import { readNodeConfig } from "../steps/talos/read-node-config";
import { TalosClient } from "../steps/talos/talos-client";
import type { StackConfig } from "../stack/config/keys";
import { callerPath } from "./caller-path";
import { readCommandLine } from "./command-line.cjs";
import { NODE } from "./commands.cjs";
import { follow } from "./node/follow";
import { refuseTaken, writeKubeconfig } from "./node/kubeconfig-file";
import { nextLines, stayLine } from "./node/next-lines";
import { whyNoBootstrap } from "./node/role";
import { Waiting } from "./node/wait";
import { configOf } from "./stack-config";

/** A file of the stack's, decrypted in memory. */
const opened = (
  context: StepContext,
  config: StackConfig,
  setKey: "machineConfig" | "talosConfig",
  path: string,
) =>
  decrypt(context, {
    path,
    ageKeyFile: config.ageKeyFile,
    allowPlaintext: config.allowPlaintextSecrets,
    setKey,
    talosVersion: config.talosVersion,
  });

/**
 * Where the client config is: what is named, or what the stack has. The key talosConfig is set only where the appliance serves it.
 *
 * @throws StepError when there is none
 */
function clientConfigOf(stack: string, config: StackConfig, named?: string): string {
  if (named) return callerPath(named);
  const usual = `config/${stack}.talosconfig`;
  if (config.talosConfig ?? existsSync(usual)) return config.talosConfig ?? usual;
  throw new StepError(
    `looking for the client config of the stack ${stack}`,
    `talosConfig is not set, and there is no ${usual}`,
    "Name its cluster's by --talosconfig, such as config/OTHER.talosconfig of the stack that it joins",
  );
}

/** Refuses before any wait what this stack's mini-PC can never be asked for. */
function refuseImpossible(
  { bootstrap, kubeconfig }: { bootstrap: boolean; kubeconfig?: string },
  config: StackConfig,
  node: NodeConfig,
  stack: string,
): void {
  const others = node.cluster ? startersOf(node.cluster, stack) : [];
  const refusal = bootstrap && whyNoBootstrap(config.joins, node.machineType, others);
  if (refusal) throw new StepError(`bootstrapping the stack ${stack}`, ...refusal);
  if (kubeconfig && node.machineType === "worker")
    throw new StepError(
      `asking the stack ${stack} for the kubeconfig`,
      "its mini-PC is a worker, which has none",
      "Name the stack of a control plane",
    );
}

void runProgram("node", async (context) => {
  const { stack = "", bootstrap, kubeconfig, talosconfig, address, timeout } = readCommandLine(NODE).values;
  const path = kubeconfig && callerPath(kubeconfig);
  if (path) refuseTaken(path);
  const config = await configOf(context, stack);
  const node = readNodeConfig(await opened(context, config, "machineConfig", config.machineConfig));
  refuseImpossible({ bootstrap, kubeconfig }, config, node, stack);
  const at = address ?? config.minipcIp;
  const client = new TalosClient(context, {
    talosVersion: config.talosVersion,
    address: at,
    talosConfig: await opened(context, config, "talosConfig", clientConfigOf(stack, config, talosconfig)),
  });
  const onLink = at === config.minipcIp;
  if (bootstrap && onLink && node.endpoint && isElsewhere(node.endpoint, at, config.applianceCidr.cidr))
    context.log(stayLine(at, { endpoint: node.endpoint, offline: config.offline }));
  const request = { address: at, bootstrap, kubeconfig: path !== undefined };
  const made = await follow({ context, client, waiting: new Waiting(context, Number(timeout)), request });
  if (path && made.kubeconfig) await writeKubeconfig(path, made.kubeconfig);
  const { endpoint } = node;
  const reached = { stack, onLink, endpoint, offline: config.offline, netbooted: made.status.netbooted };
  for (const line of nextLines(reached, path)) context.log(line);
  return undefined;
});
