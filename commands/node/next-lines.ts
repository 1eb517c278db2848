/** Where a node is, and how its cluster is asked. */
export interface Reached {
  stack: string;
  /** Whether it is reached at its lease, so still on the isolated link. */
  onLink: boolean;
  /** Where the cluster is reached for good; empty where its machine config does not say. */
  endpoint: string;
  /** Whether it pulls its images from the appliance. */
  offline: boolean;
  /** Whether this start of it came over the network. */
  netbooted: boolean;
}

/** What to say before a cluster is started where its first machine may not stay. */
export function stayLine(
  address: string,
  { endpoint, offline }: Pick<Reached, "endpoint" | "offline">,
): string {
  const mirrors = offline ? ", remove its mirrors there (docs/offline.md)" : "";
  return (
    `etcd keeps the address that it is started at, ${address}, and the cluster's endpoint ${endpoint} is elsewhere: if the ` +
    `mini-PC is to move, stop this (Ctrl-C), move it first (docs/lasting-network.md)${mirrors}, and name its address there by --address`
  );
}

/**
 * What there is to do with a node that is Ready, in short lines.
 *
 * @param kubeconfig where the client config for Kubernetes was written to, if it was
 */
export function nextLines(
  { stack, onLink, endpoint, offline, netbooted }: Reached,
  kubeconfig?: string,
): string[] {
  const ask = kubeconfig
    ? [
        `Ask the cluster${endpoint && `, at ${endpoint}`}:`,
        `  kubectl --kubeconfig '${kubeconfig}' get nodes`,
      ]
    : [];
  const disk = netbooted
    ? ["Put its disk first in its boot order and restart it: it has to start without the appliance"]
    : [];
  const mirrors = offline
    ? [
        "Remove its mirrors, or see that every pod runs: it pulls from the appliance alone (docs/offline.md)",
        `  npm run --silent pulumi -- stack output mirrorRemoval --stack ${stack}`,
      ]
    : [];
  const link = onLink
    ? [
        "The appliance is its clock, its resolver and its way out on this link: without it, it needs others (docs/lasting-network.md)",
      ]
    : [];
  return [
    `${stack} is a Ready node. Next:`,
    ...[
      ...ask,
      ...disk,
      ...mirrors,
      ...link,
      "Then delete the VM, its image and the copies of it: they hold secrets (docs/runbook.md, part 8)",
    ].map((line) => `  ${line}`),
  ];
}
