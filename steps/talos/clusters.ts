import { join } from "node:path";
import { groupsBy, listed, readStackFile, stackNames } from "../../stack/stack-files";
import { TOP } from "../../stack/top";
import { clusterRecord, type ClusterRecord } from "./cluster-record";

/** The stacks of a checkout whose machine config's cluster is known, from its last check or from `npm run new`. */
function knownClusters(top: string): ({ stack: string } & ClusterRecord)[] {
  return stackNames(top).flatMap((stack) => {
    const known = clusterRecord(join(top, "artifacts/cache/runs", stack));
    // Parts of configs name no cluster.
    return known?.cluster ? [{ stack, ...known }] : [];
  });
}

/** By its file as it is now: what was found at its last check may be changed since. */
const saysThatItJoins = (stack: string, top: string) => readStackFile(top, stack).given.joins === "true";

/** Other stacks of the checkout whose mini-PC may start a cluster: its control planes that join none. */
export const startersOf = (cluster: string, stack: string, top = TOP): string[] =>
  knownClusters(top)
    .filter((known) => known.stack !== stack && known.cluster === cluster)
    .filter(({ stack: other, machineType }) => machineType !== "worker" && !saysThatItJoins(other, top))
    .map((known) => known.stack);

/**
 * Stacks whose machine configs have one endpoint and different secrets, a line for each endpoint: they are clusters of their own,
 * and an endpoint leads to one of them.
 *
 * @param about only what concerns this stack
 */
export function clustersApart(about?: string, top = TOP): string[] {
  return groupsBy(knownClusters(top), ({ endpoint }) => endpoint)
    .filter(([, members]) => new Set(members.map(({ cluster }) => cluster)).size > 1)
    .filter(([, members]) => about === undefined || members.some(({ stack }) => stack === about))
    .map(
      ([endpoint, members]) =>
        `The stacks ${listed(members)} have the endpoint ${endpoint}, and different secrets: they are separate clusters, and ` +
        "the endpoint can lead to only one of them. For a further machine of a cluster: npm run new -- STACK --join OTHER.",
    );
}
