import { patched } from "./config-patch";
import { mirrorPatch } from "./mirror-patch";
import type { NodeConfig } from "./node-config";
import { needsTime, servedNode, upstreamsOf } from "./served-node";
import type { Surroundings } from "./surroundings";

/** What the appliance serves of a machine config. */
export interface ServedConfig {
  /** The config, with the patch if there is one. */
  text: string;
  /** What makes the node take its images from the appliance, YAML; empty where the stack is not offline. */
  patch: string;
  /** What the config says with it. */
  node: NodeConfig;
}

/**
 * The machine config as the appliance serves it: that of an offline stack has a patch.
 *
 * @param config decrypted
 * @param node what it says
 */
export function servedConfig(config: string, node: NodeConfig, around: Surroundings): ServedConfig {
  const served = servedNode(node, around);
  const patch = around.offline
    ? mirrorPatch(config, upstreamsOf(node, around), served, {
        ...around,
        tellsTime: needsTime(node, around),
      })
    : "";
  return { text: patched(config, patch), patch, node: served };
}
