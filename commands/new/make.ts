import { linkSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { NAMESPACE } from "../../stack/config/defaults";
import { TOP } from "../../stack/top";
import type { StepContext } from "../../steps/frame/context";
import { run } from "../../steps/programs/process";
import { NO_SOPS_CONFIG } from "../../steps/programs/sops";
import { partialBeside } from "../../steps/store/files";
import { recordCluster } from "../../steps/talos/cluster-record";
import { readNodeConfig } from "../../steps/talos/read-node-config";
import { generateConfigs } from "../../steps/talos/talos-config";
import { makeContext } from "../../tools/setup/context.cjs";
import { setUp } from "../../tools/setup/setup.cjs";
import type { Identity } from "./age-identity";
import type { Plan } from "./answers";
import type { Undo } from "./undo";

/** Encrypts a text in memory. */
async function encrypted(context: StepContext, text: string, recipients: string): Promise<string> {
  const form = ["--input-type", "yaml", "--output-type", "yaml", "--filename-override", "secret.yaml"];
  // Node's own pipes are sockets, which cannot be opened by name; the shell's can.
  const command = [
    ...["-c", 'cat | exec sops "$@" /dev/stdin', "sh"],
    ...[...NO_SOPS_CONFIG, "encrypt", "--age", recipients, ...form],
  ];
  return (await run(context, "sh", command, { input: text, stripFinalNewline: false })).stdout;
}

/** Writes a file that was not there, whole; where another process was faster, its file stays. */
async function place(path: string, text: string, undo: Undo): Promise<void> {
  const target = join(TOP, path);
  const partial = await partialBeside(target);
  await writeFile(partial, text);
  // Unlike a rename, a link refuses to replace.
  linkSync(partial, target);
  undo.add(() => rmSync(target, { force: true }));
  rmSync(partial);
}

/** The mini-PC's own NIC has the shared address too, whatever its name. */
const vipPatch = ({ vip, config }: Plan) =>
  stringify({
    machine: {
      network: {
        interfaces: [{ deviceSelector: { hardwareAddr: config.minipcMac }, dhcp: true, vip: { ip: vip } }],
      },
    },
  });

/** The stack's file, as text. */
function stackFile({ config }: Plan, ageKeyFile: string | undefined): string {
  const named = Object.entries({ ...config, ...(ageKeyFile && { ageKeyFile }) }).map(
    ([key, value]) => [`${NAMESPACE}:${key}`, value] as const,
  );
  // Pulumi's YAML reads a bare date as a point in time.
  return `# Made by npm run new. Each key is explained in Pulumi.yaml.\n${stringify(
    { config: Object.fromEntries(named) },
    { version: "1.1", lineWidth: 0 },
  )}`;
}

/**
 * Makes a stack: its encrypted configs, its file, what other stacks know of it, and the stack in the backend.
 *
 * @param from the plain machine config of a control plane whose cluster it joins, if it joins one
 */
export async function makeStack(
  context: StepContext,
  asked: Plan,
  from: string | undefined,
  age: Identity,
  undo: Undo,
): Promise<void> {
  const { cluster, endpoint, talosVersion, installImage, disk: installDisk } = asked;
  const patches = asked.vip ? [vipPatch(asked)] : [];
  // Only now the release is known for sure.
  await setUp("loaders", makeContext(), [talosVersion]);
  const generated = await generateConfigs(context, {
    ...{ cluster, endpoint, talosVersion, installImage, installDisk, patches, fromControlPlane: from },
  });
  const machineConfig = await encrypted(context, generated[asked.role], age.recipients);
  const client = asked.talosConfig && (await encrypted(context, generated.talosconfig, age.recipients));
  await place(asked.machineConfig, machineConfig, undo);
  if (asked.talosConfig && client) await place(asked.talosConfig, client, undo);
  await place(`Pulumi.${asked.stack}.yaml`, stackFile(asked, age.ageKeyFile), undo);
  // What the other stacks are compared with until the first `up` checks the config.
  const node = readNodeConfig(generated[asked.role]);
  await recordCluster(join(TOP, "artifacts/cache/runs", asked.stack), {
    ...{ machineType: node.machineType, endpoint: node.endpoint, cluster: node.cluster, node, leases: [] },
    installImage: node.install.image,
  });
  context.signal.throwIfAborted();
  const unaborted = { signal: new AbortController().signal };
  undo.add(() =>
    // It may not have been made yet.
    run(unaborted, "pulumi", ["stack", "rm", asked.stack, "--yes", "--preserve-config"]).catch(
      () => undefined,
    ),
  );
  await run(context, "pulumi", ["stack", "init", asked.stack, "--no-select", "--non-interactive"]);
}
