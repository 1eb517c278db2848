import type { Image } from "./components/Appliance";
import type { RehearsalSummary } from "./components/Rehearsal";
import type { StackConfig } from "./config";

/** What to do with a finished image, one step a line; docs/runbook.md says more. */
export function nextSteps(
  image: Image,
  config: StackConfig,
  rehearsal: RehearsalSummary | "not rehearsed",
  compressed?: Image,
): string[] {
  const unpack = config.compress === "zstd" ? "zstd -d" : "gunzip";
  return [
    rehearsal === "not rehearsed"
      ? "This image has booted nothing yet: pulumi config set rehearse true, then pulumi up, boots it with a virtual mini-PC"
      : `See how it booted a virtual mini-PC: ${rehearsal.timeline}`,
    compressed
      ? `Copy ${compressed.path} to the NAS, unpack it there with ${unpack} and check it: sha256sum prints ${image.sha256}`
      : `Copy ${image.path} to the NAS and check it there: sha256sum prints ${image.sha256}`,
    "Import it in Synology VMM as a disk image; NIC 1 on the isolated link" +
      (config.uplink ? ", NIC 2 on a network with internet" : ""),
    `Start the VM and wait for "bootstrap-pxe: serving ${config.minipcMac} -> ${config.minipcIp}" on its console`,
    "Power on the mini-PC with UEFI PXE enabled and its disk first in the boot order",
    `When Talos answers on ${config.minipcIp}, run talosctl bootstrap (docs/runbook.md says from where), then delete the VM and the image: they hold secrets`,
  ];
}
