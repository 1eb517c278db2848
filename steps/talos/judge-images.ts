import { warning, type Finding } from "../../stack/finding";
import { unknownImagesLine } from "../../stack/talos-images";
import { hostOf } from "./hosts";
import { unreadableImages } from "./image-list";
import type { NodeConfig } from "./node-config";
import { isProxied } from "./proxying";
import { applianceOf, placeOf, type Surroundings } from "./surroundings";

const listed = (things: string[]) => things.join(", ");

/** What the mirror of an offline stack cannot have of what the config asks for. */
export function judgeMirrored(node: NodeConfig, around: Surroundings): Finding[] {
  if (!around.offline) return [];
  const { manifests, verifies } = node.images;
  const elsewhere = manifests.filter(({ url }) => placeOf(hostOf(url), around) !== "on the link");
  const fetched = elsewhere.map(({ of, url }) => `${of} (${url})`);
  const unreadable = unreadableImages(node);
  const unknown = unknownImagesLine(around.talosVersion);
  return [
    ...(fetched.length > 0
      ? [
          warning(
            "not-mirrored",
            `the appliance cannot serve the manifests that the node fetches: ${listed(fetched)}; nor does it know the images ` +
              "that they name. Put their content into the config (cluster.inlineManifests, or a KubeInlineManifestConfig), and " +
              "their images into extraImages",
          ),
        ]
      : []),
    ...(verifies
      ? [
          warning(
            "not-mirrored",
            "an ImageVerificationConfig has rules, and the signatures that they want are not in the appliance's registry: " +
              "an image that a rule applies to is not pulled. Leave it out until the node reaches a registry",
          ),
        ]
      : []),
    ...(isProxied(node.plainHttp, around)
      ? [
          warning(
            "not-mirrored",
            `the config has HTTP go through the proxy ${listed(node.plainHttp.proxies)}, and the appliance's images with it, which are ` +
              `for the mini-PC alone: no image is pulled. Add ${applianceOf(around)} to no_proxy beside it, or leave it out`,
          ),
        ]
      : []),
    ...(unreadable.length > 0
      ? [
          warning(
            "not-mirrored",
            `what the config names is no reference to an image, and so not mirrored: ${listed(unreadable)}. Correct it`,
          ),
        ]
      : []),
    ...(node.install.isAsked && node.install.image === "" && node.install.byDocument && !around.schematic
      ? [
          warning(
            "not-mirrored",
            "the UnattendedInstallConfig names no installer, and which one Talos takes is not known here, so it is not mirrored. " +
              "Name it in installer.image, or set talosSchematic",
          ),
        ]
      : []),
    ...(unknown ? [warning("not-mirrored", unknown)] : []),
  ];
}
