import { checkConfig } from "../../../stack/config";
import { ConfigError } from "../../../stack/config/fault";

export const enough = { bootstrapVersion: "2025-12-17", minipcMac: "00:11:22:33:44:66" };

/** Why a config is refused; undefined where it is accepted. */
export function refusal(
  given: Record<string, string>,
  secret: string[] = [],
  env: NodeJS.ProcessEnv = {},
): ConfigError | undefined {
  try {
    checkConfig({ ...enough, ...given }, "lab", secret, env);
  } catch (fault) {
    if (fault instanceof ConfigError) return fault;
    throw fault;
  }
  return undefined;
}

export function faultsOf(given: Record<string, string>, secret: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const faults = refusal(given, secret, { HOME: "/nowhere", ...env })?.faults ?? [];
  return faults.map(({ key, wrong }) => `${key}: ${wrong}`);
}

/** What a person is told of a config that is refused. */
export function toldOf(given: Record<string, string>, secret: string[] = []): string {
  const refused = refusal(given, secret);
  if (!refused) throw new Error("it is accepted");
  return refused.message;
}
