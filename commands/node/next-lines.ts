/** Where a node is, and how its cluster is asked. */
export interface Reached {
  stack: string;
  /** Whether it is reached at its lease, so still on the isolated link. */
  onLink: boolean;
  /** Where the cluster is reached for good; empty where its machine config does not say. */
  endpoint: string;
}

/** What to say before a cluster is started where its first machine may not stay. */
export function stayLine(address: string, endpoint: string): string {
  return (
    `etcd keeps the address that it is started at, ${address}, and the cluster's endpoint ${endpoint} is elsewhere: if the ` +
    "mini-PC is to move, stop this (Ctrl-C), move it first (docs/lasting-network.md), and name its address there by --address"
  );
}

/**
 * What there is to do with a node that is Ready, in short lines.
 *
 * @param kubeconfig where the client config for Kubernetes was written to, if it was
 */
export function nextLines({ stack, onLink, endpoint }: Reached, kubeconfig?: string): string[] {
  const ask = kubeconfig
    ? [
        `Ask the cluster${endpoint && `, at ${endpoint}`}:`,
        `  kubectl --kubeconfig '${kubeconfig}' get nodes`,
      ]
    : [];
  const move = onLink
    ? [
        "If the mini-PC is to move, do that now: here the appliance is its clock, its resolver and its way out",
      ]
    : [];
  return [
    `${stack} is a Ready node. Next:`,
    ...[
      ...ask,
      ...move,
      "Then delete the VM, its image and the copies of it: they hold secrets (docs/runbook.md, part 8)",
    ].map((line) => `  ${line}`),
  ];
}
