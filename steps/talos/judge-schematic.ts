import { factoryInstaller, isPlain } from "../../stack/image-factory";
import { error, warning, type Finding } from "../../stack/finding";
import type { NodeConfig } from "./node-config";
import type { Surroundings } from "./surroundings";

/** The schematic of an installer, by its reference; undefined when it names none. */
const schematicOfInstaller = (image: string) => /\/([0-9a-f]{64})(?:[:@]|$)/.exec(image)?.[1];

/**
 * Where an UnattendedInstallConfig names no installer, Talos takes that of the schematic which it booted from, and an ISO that
 * no Image Factory made has none (internal/app/machined/pkg/controllers/runtime/unattended_install.go).
 */
function judgeBooted(schematic: string | undefined): Finding[] {
  if (schematic !== undefined) return [];
  return [
    warning(
      "installer-schematic",
      "the UnattendedInstallConfig names no installer's image, so Talos takes that of the ISO's schematic: an ISO that no " +
        "Image Factory made has none, and the installation fails there. Set talosSchematic, or name the image in installer.image",
    ),
  ];
}

/**
 * Whether the system that is installed has the extensions of the one that is booted from the network.
 *
 * @param install its `image` is the machine config's installer, of whatever registry; empty, it names none
 */
export function judgeSchematic(
  { schematic, talosVersion }: Pick<Surroundings, "schematic" | "talosVersion">,
  { image, byDocument }: Pick<NodeConfig["install"], "image" | "byDocument">,
): Finding[] {
  if (image === "" && byDocument) return judgeBooted(schematic);
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
  if (image === "") return wrong("the config names no installer's image, and Talos takes the plain one");
  if (/(^|\/)siderolabs\/installer(?:[:@]|$)/.test(image)) return wrong(`${said} is the plain one`);
  return [
    warning(
      "installer-schematic",
      `${iso}, and ${said} names no schematic: if it was made without its extensions, ${lacks}`,
    ),
  ];
}
