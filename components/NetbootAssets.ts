import * as pulumi from "@pulumi/pulumi";
import { artifact, type Content } from "./artifact";
import type { Fetched } from "./fetched-file";
import { Part } from "./part";
import type { ManifestOf } from "../steps/contracts/contracts";

export interface NetbootAssetsArgs {
  talosVersion: string;
  /** The Image Factory's schematic that the ISO has to be of; unset, none is expected. */
  schematic?: string;
  iso: pulumi.Output<Fetched>;
  /** The ISO that is there already, if any. */
  knownIso?: Content;
}

export type NetbootLayer = ManifestOf<"netboot">;

/** The netboot layer: kernel and initramfs of one Talos version, out of its ISO. */
export class NetbootAssets extends Part {
  readonly layer: pulumi.Output<NetbootLayer>;
  /** What is known of the layer that is there already, if any. */
  readonly known?: Pick<NetbootLayer, "kernelArguments">;

  constructor(name: string, args: NetbootAssetsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("NetbootAssets", name, opts);
    const { talosVersion, schematic } = args;
    const { manifest, present } = artifact(
      `${name}-layer`,
      {
        program: "netboot",
        sources: args.iso,
        known: args.knownIso,
        identity: (iso: Content) => ({ iso: iso.sha256, version: talosVersion }),
        path: (key) => `artifacts/cache/netboot/${key}/netboot.squashfs`,
        input: ({ key, path, code }, iso) => ({
          ...{ key, path, isoPath: iso.path, isoSha256: iso.sha256, talosVersion, schematic, code },
        }),
        lock: "artifacts/cache/netboot/lock",
      },
      this,
    );
    this.layer = manifest;
    this.known = present?.facts as NetbootLayer | undefined;
    this.layer.apply(({ warnings = [] }) => warnings.map((line) => pulumi.log.warn(line, this)));
    this.registerOutputs({ layer: this.layer });
  }
}
