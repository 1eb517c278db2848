import { addressings } from "./link-life";
import type { NodeConfig } from "./node-config";
import { applianceOf, type Surroundings } from "./surroundings";

/**
 * Why a node that has its config need not ask the appliance for the time, in words.
 *
 * @returns undefined where it does ask: where the time server counts that the lease names
 */
export function timeElsewhere(
  node: NodeConfig,
  around: Pick<Surroundings, "minipcMac" | "minipcIp" | "applianceCidr">,
): string | undefined {
  const { keepsTime, timeServers } = node;
  if (!keepsTime) return "the config switches the keeping of time off";
  if (timeServers.length > 0)
    return timeServers.includes(applianceOf(around))
      ? undefined
      : `the config names time servers, ${timeServers.join(", ")}`;
  return addressings(node, around).every(({ by }) => by === "static" || by === "nothing")
    ? "the config asks for no lease on that NIC, which would name the appliance as a time server"
    : undefined;
}
