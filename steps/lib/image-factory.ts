import semver from "semver";

/** Where the Image Factory is, unless somebody runs one of their own. */
const FACTORY = "factory.talos.dev";

/** The schematic that changes nothing: it makes what a release is itself (siderolabs/image-factory, README). */
export const PLAIN_SCHEMATIC = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";

/** Talos 1.14 installs the schematic that it booted from where its config names no installer. */
const INSTALLS_WHAT_BOOTED = "1.14.0-0";

/** The Image Factory's ISO of a schematic for a machine of metal. */
export const factoryIso = (schematic: string, talosVersion: string) =>
  `https://${FACTORY}/image/${schematic}/${talosVersion}/metal-amd64.iso`;

/** The Image Factory's installer of a schematic for a machine of metal. */
export const factoryInstaller = (schematic: string, talosVersion: string) =>
  `${FACTORY}/metal-installer/${schematic}:${talosVersion}`;

/** What the URL of an ISO says, when it is an Image Factory's or that of a mirror with the same paths. */
export function factoryPath(url: string): { schematic: string; talosVersion: string } | undefined {
  const [, schematic, talosVersion] = /\/image\/([0-9a-f]{64})\/([^/?#]+)\/[^/]+$/.exec(url) ?? [];
  return schematic && talosVersion ? { schematic, talosVersion } : undefined;
}

/** The schematic of an installer, by its reference; undefined when it names none. */
const schematicOfInstaller = (image: string) => /\/([0-9a-f]{64})(?:[:@]|$)/.exec(image)?.[1];

const isPlain = (schematic: string | undefined) => schematic === undefined || schematic === PLAIN_SCHEMATIC;

/**
 * Whether the system that is installed will be the one that is booted from the network.
 *
 * @param schematic of the ISO that is served; unset, it is a plain release
 * @param image reference of the machine config's installer; empty, it names none
 */
export function judgeInstaller(
  schematic: string | undefined,
  image: string,
  talosVersion: string,
): { fault?: string; warning?: string } {
  const installed = schematicOfInstaller(image);
  if ((isPlain(schematic) && isPlain(installed)) || schematic === installed) return {};
  if (isPlain(schematic))
    return {
      warning:
        `the installer ${image} is of the schematic ${installed}, and talosSchematic is not set: ` +
        "what is booted from the network lacks the extensions and kernel arguments that the installed system has",
    };
  const lacks = "the installed system would lack the extensions that the booted one has";
  const right = `Right: ${factoryInstaller(schematic as string, talosVersion)}`;
  const iso = `talosSchematic is ${schematic}`;
  if (installed)
    return {
      fault: `${iso}, but the installer ${image} is of the schematic ${installed}: ${lacks}. ${right}`,
    };
  if (image === "")
    return semver.gte(talosVersion, INSTALLS_WHAT_BOOTED)
      ? {}
      : {
          fault: `${iso}, but the config names no installer, and Talos takes the plain one: ${lacks}. ${right}`,
        };
  if (/(^|\/)siderolabs\/installer[:@]/.test(image))
    return { fault: `${iso}, but the installer ${image} is the plain one: ${lacks}. ${right}` };
  return {
    warning: `${iso}, and the installer ${image} names no schematic: whether ${lacks} cannot be told`,
  };
}

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
