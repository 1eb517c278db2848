import * as pulumi from "@pulumi/pulumi";
import { TOP } from "../stack/top";
import { checkConfig } from "../stack/config";
import { machineOf, NAMESPACE } from "../stack/config/defaults";
import type { StackConfig } from "../stack/config/keys";
import { clustersApart } from "../steps/talos/clusters";
import { misreadFaults, readStackFile, sharedByStacks, stackFiles } from "../stack/stack-files";
import { faultOf } from "../steps/programs/sops";
import { borrowedLoaderLine } from "../stack/talos-releases.cjs";

/**
 * A secret file that is missing or plain shows without a key, so that a preview tells it too.
 *
 * @throws Error in the words of the step that would find it
 */
function refuseWhatShows(config: StackConfig) {
  const { machineConfig, talosConfig, talosVersion, allowPlaintextSecrets: allowPlaintext } = config;
  const faults = [
    faultOf({ path: machineConfig, setKey: "machineConfig", allowPlaintext, talosVersion }, TOP),
    talosConfig && faultOf({ path: talosConfig, setKey: "talosConfig", allowPlaintext }, TOP),
  ].flatMap((fault) => fault || []);
  if (faults.length > 0) throw new Error(faults.map(({ message }) => message).join("\n"));
}

/**
 * The config of the stack that runs.
 *
 * @throws pulumi.RunError with every fault at once, shown without a stack trace
 */
export function stackConfig(): StackConfig {
  const prefix = `${NAMESPACE}:`;
  const all = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  const given = Object.fromEntries(all.map(([key, value]) => [key.slice(prefix.length), value]));
  // The SDK's own test for a secret key is internal; this is the variable behind it.
  const secretKeys = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS ?? "[]") as string[];
  const secret = secretKeys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
  const stack = pulumi.getStack();
  try {
    const misread = misreadFaults(readStackFile(TOP, stack), given);
    const config = checkConfig(given, stack, secret, process.env, misread);
    refuseWhatShows(config);
    const others = stackFiles(TOP).filter((file) => file.stack !== stack);
    const own = { stack, given, misread: [], machine: machineOf(given) };
    const borrowed = borrowedLoaderLine(config.talosVersion);
    if (borrowed) void pulumi.log.warn(borrowed);
    for (const line of [...sharedByStacks([own, ...others], stack), ...clustersApart(stack)])
      void pulumi.log.warn(line);
    return config;
  } catch (fault) {
    throw new pulumi.RunError((fault as Error).message);
  }
}
