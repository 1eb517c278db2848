import type { StackConfig } from "./config/keys";
import { fixedUplinkOf } from "./fixed-uplink";
import { type KernelLine } from "./talos-kernel";

/** Characters of a command line that the kernel is sure to print: its log cuts a line at 1024, with what stands before. */
const PRINTED = 900;

/** The words of a line that the kernel is sure to print whole: a value with blanks is several. */
function printedWords(line: string[]): string[] {
  const text = line.join(" ");
  const whole = text.length <= PRINTED ? text : text.slice(0, text.lastIndexOf(" ", PRINTED));
  return whole.split(" ");
}

/** What the boot of a stack's mini-PC is checked against, as far as its config and its ISO determine it. */
export function rehearsalSubject(config: StackConfig, line: Pick<KernelLine, "arguments">) {
  const { minipcMac, minipcIp, applianceCidr, talosVersion, talosConfig } = config;
  return {
    minipcMac,
    minipcIp,
    applianceCidr: applianceCidr.cidr,
    operatorNetworks: config.operatorNetwork.length > 0 ? config.operatorNetwork : undefined,
    talosVersion,
    kernelArguments: printedWords(line.arguments),
    // The virtual mini-PC asks for one by its asset tag, whatever the stack's consoles are.
    hasSerialConsole: true,
    hasUplink: config.uplink,
    fixedUplink: fixedUplinkOf(config),
    secretPaths: ["/configs/minipc.yaml", ...(talosConfig ? ["/configs/talosconfig"] : [])],
  };
}
