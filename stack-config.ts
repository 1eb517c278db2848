import * as pulumi from "@pulumi/pulumi";
import { checkConfig, NAMESPACE, type StackConfig } from "./config";

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
  try {
    return checkConfig(given, pulumi.getStack(), secret);
  } catch (fault) {
    throw new pulumi.RunError((fault as Error).message);
  }
}
