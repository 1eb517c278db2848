import semver from "semver";
import { judgeEndpoint } from "./endpoint";
import { error, warning, type Finding } from "../../stack/finding";
import { judgeLink } from "./judge-link";
import { judgeMirrored } from "./judge-images";
import { judgeServices } from "./judge-services";
import { judgeSchematic } from "./judge-schematic";
import type { NodeConfig } from "./node-config";
import { servedNode } from "./served-node";
import type { Surroundings } from "./surroundings";

/** The tag of an image's reference; empty without one. A digest beside it does not count. */
export function tagOf(image: string): string {
  const [name = ""] = image.split("@");
  return /:([^:/]+)$/.exec(name)?.[1] ?? "";
}

/** The installed system is that of the installer's release. */
function judgeInstaller({ install, isPartial }: NodeConfig, { talosVersion }: Surroundings): Finding[] {
  const { image, isAsked } = install;
  if (!isAsked)
    return isPartial
      ? []
      : [
          warning(
            "no-install",
            "the config asks for no installation: Talos runs from memory, and needs the appliance again at the next start. " +
              "Name a disk in an UnattendedInstallConfig (machine.install before Talos 1.14), or install it by hand",
          ),
        ];
  const tag = tagOf(image);
  // Without an image Talos takes its own; a digest alone does not tell the release.
  if (image === "" || (tag === "" && image.includes("@")) || tag === talosVersion) return [];
  const said = `the installer's image ${image}`;
  const release = semver.parse(tag);
  if (release && release.compareMain(talosVersion) !== 0)
    return [
      error("installer-version", `${said} is not of talosVersion ${talosVersion}: change one of the two`),
    ];
  const what = release
    ? `the tag ${tag}, which is of the release ${talosVersion} but not its own`
    : `${tag ? `the tag ${tag}` : "no tag"}, which does not tell a release`;
  return [
    warning(
      "installer-version",
      `${said} has ${what}: ` +
        `what is installed may be another one than ${talosVersion}, which the mini-PC starts with. ` +
        `Write the tag ${talosVersion}, unless you made that image yourself`,
    ),
  ];
}

/** Whether a config that Talos itself accepts fits the link that it is served on, as it is served there. */
export function findingsOf(config: NodeConfig, around: Surroundings): Finding[] {
  const node = servedNode(config, around);
  const isKnownType = ["controlplane", "worker", "init"].includes(node.machineType);
  return [
    ...(node.isPartial
      ? []
      : [
          ...(isKnownType
            ? []
            : [
                error(
                  "machine-type",
                  `machine.type is ${JSON.stringify(node.machineType)}, not controlplane or worker`,
                ),
              ]),
          ...judgeEndpoint(node, around),
        ]),
    ...judgeInstaller(node, around),
    ...(node.install.isAsked ? judgeSchematic(around, node.install) : []),
    ...judgeLink(node, around),
    ...judgeServices(node, around),
    ...judgeMirrored(node, around),
  ];
}
