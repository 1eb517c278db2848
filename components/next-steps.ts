import ipaddr from "ipaddr.js";
import type { Image } from "./Appliance";
import type { CheckedConfig } from "./MachineConfig";
import type { RehearsalSummary } from "./Rehearsal";
import type { StackConfig } from "../stack/config/keys";
import { APID_PORT, KUBERNETES_PORT } from "../stack/ports";
import { hostOf } from "../steps/talos/hosts";

/** What `up` made, and what it knows of the cluster. */
export interface Made {
  image: Image;
  compressed?: Image;
  rehearsal: RehearsalSummary | "not rehearsed";
  checked: Pick<CheckedConfig, "machineType" | "endpoint">;
  /** Other stacks of the checkout that may start the same cluster. */
  starters: string[];
}

/** Where the cluster is reached, if not on the isolated link: a name may be anywhere. */
function reachedElsewhere({ checked }: Made, { minipcIp, applianceCidr }: StackConfig): boolean {
  const host = hostOf(checked.endpoint);
  if (host === minipcIp) return false;
  return (
    !ipaddr.IPv4.isValid(host) || !ipaddr.IPv4.parse(host).match(ipaddr.IPv4.parseCIDR(applianceCidr.cidr))
  );
}

/** Which machine runs `talosctl bootstrap`: once for a cluster, since a second time would split etcd. */
function startOfCluster(made: Made, config: StackConfig): string[] {
  const { machineType, endpoint } = made.checked;
  if (machineType === "")
    return [
      "Its machine config is partial: Talos gets the rest where that says,",
      "  from Omni for one, which starts the cluster, too",
    ];
  if (machineType === "worker" || config.joins)
    return ["Never run talosctl bootstrap on it: it joins the cluster at", `  ${endpoint}`];
  const isElsewhere = reachedElsewhere(made, config);
  // etcd keeps the address that its machine has at the bootstrap.
  const move = isElsewhere
    ? [
        "When Talos runs from its disk, move the mini-PC to where it will stay",
        `  (docs/lasting-network.md): ${endpoint}`,
      ]
    : [];
  const once = [
    `When Talos answers ${isElsewhere ? "there" : `on ${config.minipcIp}`}, run talosctl bootstrap on it, once`,
    "  (docs/runbook.md, part 7, says from where)",
  ];
  if (made.starters.length === 0) return [...move, ...once];
  return [
    ...move,
    `Its cluster is also that of ${made.starters.join(", ")}. If none of them was bootstrapped:`,
    ...once,
    "If one was: never run talosctl bootstrap on this one, it would split etcd",
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
          "  npm run pulumi -- config set rehearse true --stack NAME, then the same `up`",
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
