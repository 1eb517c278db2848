import { checkConfig } from "../../../stack/config";
import { ConfigError } from "../../../stack/config/fault";

export const enough = { bootstrapVersion: "2025-12-17", minipcMac: "00:11:22:33:44:66" };

export function faultsOf(given: Record<string, string>, secret: string[] = [], env: NodeJS.ProcessEnv = {}) {
  try {
    checkConfig({ ...enough, ...given }, "lab", secret, { HOME: "/nowhere", ...env });
  } catch (fault) {
    return (fault as ConfigError).faults.map(({ key, wrong }) => `${key}: ${wrong}`);
  }
  return [];
}

/** What a person is told of a config that is refused. */
export function toldOf(given: Record<string, string>, secret: string[] = []): string {
  try {
    checkConfig({ ...enough, ...given }, "lab", secret, {});
  } catch (fault) {
    return (fault as ConfigError).message;
  }
  throw new Error("it is accepted");
}
