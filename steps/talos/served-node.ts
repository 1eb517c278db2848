import { imagesOf } from "./image-list";
import { judgeTime } from "./judge-services";
import { mirrorAddress } from "./mirror-patch";
import type { NodeConfig } from "./node-config";
import { applianceOf, type Surroundings } from "./surroundings";

/** The registries that a node's images come from, in order. */
export const upstreamsOf = (node: NodeConfig, around: Surroundings): string[] => [
  ...new Set(imagesOf(node, around, around.extraImages).map(({ host }) => host)),
];

/** Whether an offline node has to be told of the appliance's clock, since what it names is not reached. */
export const needsTime = (node: NodeConfig, around: Surroundings): boolean =>
  around.offline === true && judgeTime(node, around).length > 0;

/** What a node's config says once the appliance serves it: that of an offline stack has mirrors, and a time server that is reached. */
export function servedNode(node: NodeConfig, around: Surroundings): NodeConfig {
  if (!around.offline) return node;
  const hosts = upstreamsOf(node, around);
  const appliance = applianceOf(around);
  return {
    ...node,
    mirrors: [
      ...node.mirrors.filter(({ registry }) => !hosts.includes(registry)),
      ...hosts.map((registry) => ({ registry, hosts: [mirrorAddress(around)], withoutScheme: [] })),
    ],
    timeServers: needsTime(node, around)
      ? [appliance, ...node.timeServers.filter((server) => server !== appliance)]
      : node.timeServers,
  };
}
