/**
 * Why a stack's mini-PC may not start its cluster, and what to do instead; undefined when it may. A cluster that is started
 * twice has its etcd split.
 *
 * @param joins whether the stack says that its mini-PC joins a cluster
 * @param machineType of its machine config; empty where that is partial
 * @param others stacks of the checkout that may start the same cluster
 */
export function whyNoBootstrap(
  joins: boolean,
  machineType: string,
  others: string[],
): [found: string, next: string] | undefined {
  if (machineType === "worker")
    return ["its mini-PC is a worker", "Bootstrap the first control plane of its cluster"];
  if (joins)
    return [
      "it joins the cluster of another control plane (joins)",
      "Run it without --bootstrap: etcd joins by itself",
    ];
  if (others.length > 0)
    return [
      `its cluster is also that of ${others.join(", ")}, which may start it, too`,
      "Set joins to true on all of these but the one that starts it: npm run pulumi -- config set joins true --stack NAME",
    ];
  return undefined;
}
