import { firmwareAsked, hasEnded, lastWords, line, type View } from "../view";
import { isPastConfig } from "./acceptance";
import { fetched } from "./fetched";
import type { Break } from "./milestone";

export const ended = (view: View, machine: "appliance" | "minipc"): Break | undefined =>
  hasEnded(view, machine)
    ? {
        seen: `the ${machine === "minipc" ? "mini-PC" : "appliance"}'s virtual machine ended${lastWords(view, machine, /./)}`,
        look: `Read ${machine}.serial.log to its end`,
      }
    : undefined;

/** When the mini-PC's firmware asked again although a kernel was started, if it did. */
export function restartedAt(view: View): number | undefined {
  const kernel = fetched(view, /\/vmlinuz$/);
  return kernel && firmwareAsked(view).find(({ atMs }) => atMs > kernel.atMs)?.atMs;
}

/** A restart is a sign, unless Talos had its config: it restarts when it is installed, and when it cannot install itself. */
export const restarted = (view: View): Break | undefined =>
  restartedAt(view) === undefined || isPastConfig(view)
    ? undefined
    : {
        seen: `the mini-PC restarted${lastWords(view, "minipc", /FAULT|panic|failed/i)}`,
        look: "Read minipc.serial.log before its second start",
      };

/** What a system on the mini-PC says when it goes no further, with the place to look; a refused config has a milestone of its own. */
const GIVEN_UP: [says: RegExp, look: string][] = [
  [
    /node: FAULT: (.*)/,
    "The kernel that is served has no driver for that NIC, in itself or in its initramfs: look at the ISO that isoUrl names",
  ],
  // As Talos says them before it stops, or restarts (siderolabs/talos, pkg/kernel/kspp and runtime/v1alpha1).
  [
    /(KSPP kernel parameter \S+ (?:is required|was found .*))/,
    "Look at kernelArgs, and at the kernel line of files/boot.ipxe",
  ],
  [
    /\[talos\] ((?!install )\w+ sequence: failed)/,
    "Read minipc.serial.log for the task that failed before that line",
  ],
];

const RESTARTS = /\[talos\] (rebooting in \d+ seconds)/;

/** Tells nothing of how far the chain came, so what a milestone says of itself goes first. */
export function givenUp(view: View): Break | undefined {
  if (isPastConfig(view)) return undefined;
  for (const [says, look] of GIVEN_UP) {
    const words = line(view, "minipc", says)?.match[1];
    if (words) return { seen: `the mini-PC goes no further: ${words}`, look };
  }
  const restarts = line(view, "minipc", RESTARTS)?.match[1];
  return restarts
    ? {
        seen: `Talos gives up, ${restarts}${lastWords(view, "minipc", /error running phase|failed/)}`,
        look: "Read minipc.serial.log before that line",
      }
    : undefined;
}
