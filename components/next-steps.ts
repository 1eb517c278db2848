import type { Image } from "./Appliance";
import type { CheckedConfig } from "./MachineConfig";
import type { RehearsalSummary } from "./Rehearsal";
import type { StackConfig } from "../stack/config/keys";
import { APID_PORT, KUBERNETES_PORT } from "../stack/ports";
import { isElsewhere } from "../steps/talos/hosts";

/** What `up` made, and what it knows of the cluster. */
export interface Made {
  /** The stack's name. */
  stack: string;
  image: Image;
  compressed?: Image;
  rehearsal: RehearsalSummary | "not rehearsed";
  checked: Pick<CheckedConfig, "machineType" | "endpoint">;
  /** Other stacks of the checkout that may start the same cluster. */
  starters: string[];
}

/** How a mini-PC becomes a Ready node: a cluster is started once, since a second time would split etcd. */
function startOfCluster(made: Made, config: StackConfig): string[] {
  const { machineType, endpoint } = made.checked;
  if (machineType === "")
    return [
      "Its machine config is partial: Talos gets the rest where that says,",
      "  from Omni for one, which starts the cluster, too",
    ];
  const follow = `  npm run node -- --stack ${made.stack}`;
  if (machineType === "worker" || config.joins)
    return [
      "Never bootstrap it: it joins the cluster at",
      `  ${endpoint}`,
      "This follows it until it is a Ready node (docs/runbook.md, part 7):",
      `${follow} --talosconfig FILE`,
    ];
  const moves = isElsewhere(endpoint, config.minipcIp, config.applianceCidr.cidr);
  // etcd keeps the address that its machine has at the bootstrap.
  const move = moves
    ? [
        "When Talos runs from its disk, move the mini-PC to where it will stay",
        `  (docs/lasting-network.md): ${endpoint}`,
      ]
    : [];
  const address = moves ? " --address ADDRESS" : "";
  const once = [
    `This starts its cluster, once, ${moves ? "when it has its address there" : `from where ${config.minipcIp} is reached`}`,
    "  (docs/runbook.md, part 7), and follows it until it is a Ready node:",
    `${follow} --bootstrap${address}`,
  ];
  if (made.starters.length === 0) return [...move, ...once];
  return [
    ...move,
    `Its cluster is also that of ${made.starters.join(", ")}.`,
    "If one of them was bootstrapped, set joins to true here: etcd would be split.",
    "If none was, set joins to true there.",
    ...once,
  ];
}

/** How a desk reaches the mini-PC through the appliance: by one route, whose gateway only the appliance knows. */
function wayIn({ operatorNetwork, minipcIp }: StackConfig): string[] {
  if (operatorNetwork.length === 0) return [];
  return [
    `A desk in operatorNetwork reaches its ports ${APID_PORT} and ${KUBERNETES_PORT} by a route. UPLINK is`,
    "  the appliance's uplink address: its console has this, too, with that address",
    `  Linux:   sudo ip route add ${minipcIp}/32 via UPLINK`,
    `  macOS:   sudo route -n add ${minipcIp}/32 UPLINK`,
    `  Windows: route ADD ${minipcIp} MASK 255.255.255.255 UPLINK`,
    "It sees how far the mini-PC is at http://UPLINK/",
  ];
}

/** The next steps with a finished image, in short lines; docs/runbook.md says more. */
export function nextSteps(made: Made, config: StackConfig): string[] {
  const { image, compressed, rehearsal } = made;
  const unpack = config.compress === "zstd" ? "zstd -d" : "gunzip";
  return [
    ...(rehearsal === "not rehearsed"
      ? [
          "This image has booted nothing yet. To boot it with a virtual mini-PC:",
          `  npm run pulumi -- config set rehearse true --stack ${made.stack}, then the same \`up\``,
        ]
      : ["See how it booted a virtual mini-PC:", `  ${rehearsal.timeline}`]),
    "Copy it to the NAS:",
    `  ${(compressed ?? image).path}`,
    compressed ? `Unpack it there with ${unpack}; then sha256sum prints` : "There, sha256sum prints",
    `  ${image.sha256}`,
    "Import it in Synology VMM as a disk image:",
    `  NIC 1 on the isolated link${config.uplink ? ", NIC 2 on a network with internet" : ""}`,
    "Start the VM and wait for this line on its console:",
    `  bootstrap-pxe: serving ${config.minipcMac} -> ${config.minipcIp}`,
    "Power on the mini-PC: UEFI PXE on, its disk first in the boot order",
    ...(config.offline
      ? [
          "It pulls images from the appliance alone until you remove its mirrors:",
          "  docs/offline.md says when, before you move it or delete the VM",
        ]
      : []),
    ...wayIn(config),
    ...startOfCluster(made, config),
    "Then delete the VM and the image: they hold secrets",
  ];
}
