import type { StackConfig } from "../config";
import { machineConfigArgument, talosKernelArguments } from "./talos-kernel";

/** What the boot of a stack's mini-PC is held to, as far as its config tells. */
export function rehearsalSubject(config: StackConfig) {
  const { minipcMac, minipcIp, applianceCidr, talosVersion, consoles, talosConfig } = config;
  return {
    minipcMac,
    minipcIp,
    applianceCidr: applianceCidr.cidr,
    talosVersion,
    kernelArguments: [
      ...talosKernelArguments(talosVersion, consoles),
      machineConfigArgument(applianceCidr.address),
    ],
    // A virtual mini-PC has one serial port.
    hasSerialConsole: consoles.some((console) => /^ttyS0\b/.test(console)),
    hasUplink: config.uplink,
    secretPaths: ["/configs/minipc.yaml", ...(talosConfig ? ["/configs/talosconfig"] : [])],
  };
}
