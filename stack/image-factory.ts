import { splitQuery } from "./source-url";

/** Where the Image Factory is, unless somebody runs one of their own. */
export const FACTORY = "factory.talos.dev";

/** The schematic that changes nothing: it makes what a release is itself (siderolabs/image-factory, README). */
export const PLAIN_SCHEMATIC = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";

/** The Image Factory's ISO of a schematic for a machine of metal. */
export const factoryIso = (schematic: string, talosVersion: string) =>
  `https://${FACTORY}/image/${schematic}/${talosVersion}/metal-amd64.iso`;

/** The Image Factory's installer of a schematic for a machine of metal. */
export const factoryInstaller = (schematic: string, talosVersion: string) =>
  `${FACTORY}/metal-installer/${schematic}:${talosVersion}`;

/** What the URL of an ISO says, when it is an Image Factory's or that of a mirror with the same paths. */
export function factoryPath(url: string): { schematic: string; talosVersion: string } | undefined {
  const [, schematic, talosVersion] =
    /\/image\/([0-9a-f]{64})\/([^/?#]+)\/[^/]+$/.exec(splitQuery(url).url) ?? [];
  return schematic && talosVersion ? { schematic, talosVersion } : undefined;
}

/** Whether a schematic, or none, is what a release is itself. */
export const isPlain = (schematic: string | undefined) =>
  schematic === undefined || schematic === PLAIN_SCHEMATIC;

/**
 * What is wrong with the schematic that an ISO says it is of. Every ISO of an Image Factory says it, the plain one too.
 *
 * @param wanted unset, none is; the warning says what is not checked then
 * @param found unset, the ISO says none
 */
export function judgeIso(
  wanted: string | undefined,
  found: string | undefined,
): { fault?: string; warning?: string } {
  if ((isPlain(wanted) && isPlain(found)) || wanted === found) return {};
  if (wanted === undefined)
    return {
      warning: `the ISO is of the schematic ${found}, and talosSchematic is not set: set it, so that the installer is checked too`,
    };
  return {
    fault: `talosSchematic is ${wanted}, but ${found ? `the ISO is of the schematic ${found}` : "the ISO is of no schematic"}`,
  };
}
