import type { StackConfig } from "../config";
import { talosKernelArguments } from "./talos-kernel";

/** What the boot of a stack's mini-PC is held to, as far as its config tells. */
export function rehearsalSubject(config: StackConfig) {
  const { minipcMac, minipcIp, talosVersion, consoles, talosConfig } = config;
  return {
    minipcMac,
    minipcIp,
    applianceCidr: config.applianceCidr.cidr,
    talosVersion,
    kernelArguments: talosKernelArguments(talosVersion, consoles),
    // A virtual mini-PC has one serial port.
    hasSerialConsole: consoles.some((console) => /^ttyS0\b/.test(console)),
    hasUplink: config.uplink,
    secretPaths: ["/configs/minipc.yaml", ...(talosConfig ? ["/configs/talosconfig"] : [])],
  };
}
