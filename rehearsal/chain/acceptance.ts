import { ofMinipc, line, lines, type View } from "../view";
import { fetched } from "./fetched";
import type { Sign } from "./milestone";

/** As Talos 1.9 to 1.14 say it (siderolabs/talos, config.AcquireController), and with it the demo's node. */
const ACCEPTED = /machine config loaded successfully/;

export const REFUSED =
  /failed to (?:load config|(?:runtime )?validate config acquired) via platform metal: (.*?)(?:"\}?)?$/;

/** Talos checks the selector of the install disk against the machine's disks, and these are virtual. */
export const NO_SUCH_DISK = /^no disks matched the expression/;

/** Talos was given no config, or a partial one, which it takes and which something else is to complete (same source). */
export const WAITS_FOR_CONFIG = /entering maintenance service/;

/** The disk that the config names is not there (siderolabs/talos, v1alpha1.Install): Talos then restarts. */
const NO_INSTALL_DISK = /task install \(.*\): failed: (?:lstat \S+: no such file|no disks matched)/;

export const lacksInstallDisk = (view: View) => line(view, "minipc", NO_INSTALL_DISK) !== undefined;

/** The very config that was decrypted, when the mini-PC has it whole. */
export function ownConfig(view: View) {
  const config = fetched(view, /^\/configs\//);
  return config?.sha256 === view.expected.configSha256 ? config : undefined;
}

/** Whether Talos goes by its config; what it does then is not part of the rehearsal. Without a console its fetch counts. */
export const isPastConfig = (view: View): boolean =>
  view.expected.hasSerialConsole
    ? accepted(view) !== undefined || lacksInstallDisk(view)
    : ownConfig(view) !== undefined;

/** Why Talos refuses the config, a fault each, out of its error as JSON on one line (hashicorp/go-multierror). */
export function refusals(words: string): string[] {
  return (
    words
      // Talos tells the values of unknown keys too, and they may be secret.
      .replace(/(unknown keys found during decoding).*/, "$1")
      .split("\\n")
      .map((each) => each.replace(/^(?:\\t|[\s*])+/, "").replaceAll('\\"', '"'))
      .map((each) => each.replace(/^(?:\S+: )?\d+ errors? occurred:\s*/, "").trim())
      .filter((each) => each !== "")
  );
}

/** The sign that the loader took the config. */
export function accepted(view: View): Sign | undefined {
  const yes = line(view, "minipc", ACCEPTED);
  if (yes) {
    const { unseenDisk } = view.expected;
    const limit = unseenDisk ? `; that is as far as a virtual mini-PC can show: ${unseenDisk}` : "";
    return { atMs: yes.atMs, evidence: `its console: ${yes.match[0]}${limit}` };
  }
  const waits = line(view, "minipc", WAITS_FOR_CONFIG);
  if (waits && fetched(view, /^\/configs\//))
    return {
      atMs: waits.atMs,
      evidence: `its console: ${waits.match[0]}, as with a config that is to be completed, as by Omni`,
    };
  for (const { text, atMs } of lines(view, "minipc", REFUSED)) {
    const faults = refusals(REFUSED.exec(text)?.[1] ?? "");
    if (faults.length > 0 && faults.every((fault) => NO_SUCH_DISK.test(fault)))
      return {
        atMs,
        evidence:
          "as far as a virtual mini-PC can show: the loader took it, and its disk selector matches no virtual disk",
      };
  }
  return undefined;
}

/** How often the mini-PC fetched its config: Talos fetches one anew that it refused, and says nothing of the first four times. */
export const timesFetched = (view: View): string => {
  const times = ofMinipc(view, "http").filter(
    (what) => what.state === "sent" && what.status === 200 && /^\/configs\//.test(what.path),
  ).length;
  return times > 1 ? `${times} times` : "once";
};
