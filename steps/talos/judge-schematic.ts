import semver from "semver";
import { factoryInstaller, isPlain } from "../lib/image-factory";
import { error, warning, type Finding } from "./finding";
import type { Surroundings } from "./surroundings";

/** Talos 1.14 installs the schematic that it booted from where its config names no installer. */
const INSTALLS_WHAT_BOOTED = "1.14.0-0";

/** The schematic of an installer, by its reference; undefined when it names none. */
const schematicOfInstaller = (image: string) => /\/([0-9a-f]{64})(?:[:@]|$)/.exec(image)?.[1];

/**
 * Whether the system that is installed has the extensions of the one that is booted from the network.
 *
 * @param image reference of the machine config's installer, of whatever registry; empty, it names none
 */
export function judgeSchematic(
  { schematic, talosVersion }: Pick<Surroundings, "schematic" | "talosVersion">,
  image: string,
): Finding[] {
  const installed = schematicOfInstaller(image);
  const said = `the installer's image ${image}`;
  if (schematic === installed || (isPlain(schematic) && isPlain(installed))) return [];
  if (schematic === undefined || isPlain(schematic))
    return [
      warning(
        "installer-schematic",
        `${said} is of the schematic ${installed}, but talosSchematic is ${schematic ?? "not set"}: ` +
          "what is booted from the network may lack the extensions that the installed system has",
      ),
    ];
  const iso = `talosSchematic is ${schematic}`;
  const lacks = "the installed system would lack the extensions of the one that is booted";
  const wrong = (what: string) => [
    error(
      "installer-schematic",
      `${iso}, but ${what}: ${lacks}. Write ${factoryInstaller(schematic, talosVersion)}`,
    ),
  ];
  if (installed) return wrong(`${said} is of the schematic ${installed}`);
  if (image === "")
    return semver.gte(talosVersion, INSTALLS_WHAT_BOOTED)
      ? []
      : wrong("the config names no installer's image, and Talos takes the plain one");
  if (/(^|\/)siderolabs\/installer(?:[:@]|$)/.test(image)) return wrong(`${said} is the plain one`);
  return [
    warning(
      "installer-schematic",
      `${iso}, and ${said} names no schematic: if it was made without its extensions, ${lacks}`,
    ),
  ];
}
