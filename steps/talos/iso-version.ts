import type { TalosIso } from "./talos-iso";

/** The volume id of a release's ISO, 1.9's for Secure Boot with SB in it (siderolabs/talos, pkg/imager/iso). */
const RELEASE = /^TALOS_(SB_)?V(\d+_\d+_\d+)(_.*)?$/;

/** A label as Talos makes a volume id of it: capitals, digits and underscores, 32 at most. */
export const volumeIdOf = (label: string) =>
  label
    .toUpperCase()
    .replace(/[-.]/g, "_")
    .replace(/[^A-Z0-9_]/g, "")
    .slice(0, 32);

/** The release that a volume id names, spelled as Talos spells it. */
function releaseOf([, , numbers = "", pre = ""]: RegExpExecArray): string {
  const suffix = pre.slice(1).toLowerCase().replaceAll("_", ".");
  return `v${numbers.replaceAll("_", ".")}${suffix && `-${suffix}`}`;
}

/**
 * What is wrong with the release that an ISO says it is of; undefined when it is the one that is wanted, or the ISO names none,
 * as one that was made by hand may.
 */
export function versionFault(
  { volumeId, osRelease }: Pick<TalosIso, "volumeId" | "osRelease">,
  talosVersion: string,
): string | undefined {
  const but = (of: string) => `is of Talos ${of}, but talosVersion is ${talosVersion}`;
  const named = RELEASE.exec(volumeId);
  if (named) {
    const expected = volumeIdOf(`Talos-${named[1] ?? ""}${talosVersion}`);
    return volumeId === expected ? undefined : `its volume id ${volumeId} ${but(releaseOf(named))}`;
  }
  const version = /^VERSION_ID="?([^"\n]+?)"?$/m.exec(osRelease ?? "")?.[1];
  return !version || version === talosVersion ? undefined : `its os-release ${but(version)}`;
}
