import type { Image } from "./components/Appliance";
import type { CheckedConfig } from "./components/MachineConfig";
import type { RehearsalSummary } from "./components/Rehearsal";
import type { StackConfig } from "./config";
import { hostOf } from "./steps/lib/machine-config";

/** What `up` made, and what it knows of the cluster. */
export interface Made {
  image: Image;
  compressed?: Image;
  rehearsal: RehearsalSummary | "not rehearsed";
  checked: Pick<CheckedConfig, "machineType" | "endpoint">;
  /** Other stacks of the checkout that may start the same cluster. */
  starters: string[];
}

/** Which machine runs `talosctl bootstrap`: once for a cluster, since a second time would split etcd. */
function startOfCluster({ checked, starters }: Made, { joins, minipcIp }: StackConfig): string[] {
  const { machineType, endpoint } = checked;
  if (machineType === "worker" || joins)
    return ["Never run talosctl bootstrap on it: it joins the cluster at", `  ${endpoint}`];
  const once = [
    `When Talos answers on ${minipcIp}, run talosctl bootstrap on it, once`,
    "  (docs/runbook.md, part 7, says from where)",
  ];
  if (starters.length === 0) return once;
  return [
    `Its cluster is also that of ${starters.join(", ")}. If none of them was bootstrapped:`,
    ...once,
    "If one was: never run talosctl bootstrap on this one, it would split etcd",
  ];
}

/** What to do with a finished image, in short lines; docs/runbook.md says more. */
export function nextSteps(made: Made, config: StackConfig): string[] {
  const { image, compressed, rehearsal, checked } = made;
  const unpack = config.compress === "zstd" ? "zstd -d" : "gunzip";
  const startsCluster = checked.machineType !== "worker" && !config.joins;
  const isReachedElsewhere = startsCluster && hostOf(checked.endpoint) !== config.minipcIp;
  return [
    ...(rehearsal === "not rehearsed"
      ? [
          "This image has booted nothing yet. To boot it with a virtual mini-PC:",
          "  pulumi config set rehearse true, then pulumi up",
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
    ...startOfCluster(made, config),
    ...(isReachedElsewhere
      ? ["Move it to where its cluster is reached (docs/lasting-network.md):", `  ${checked.endpoint}`]
      : []),
    "Then delete the VM and the image: they hold secrets",
  ];
}
