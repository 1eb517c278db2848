import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { intact } from "../steps/store/files";
import { artifact, type Content } from "./artifact";
import type { BaseLayer } from "./BaseImage";
import type { CheckedConfig } from "./MachineConfig";
import type { NetbootLayer } from "./NetbootAssets";
import { Part } from "./part";
import type { RenderedFiles } from "../stack/templates";
import type { ManifestOf } from "../steps/contracts/contracts";
import { TOP } from "../stack/top";

export interface ApplianceArgs {
  base: pulumi.Output<BaseLayer>;
  netboot: pulumi.Output<NetbootLayer>;
  /** The layer of images; unset for a stack that is not offline. */
  images?: pulumi.Output<LayerFile>;
  files: pulumi.Output<RenderedFiles>;
  bootScript: pulumi.Output<string>;
  /** How the mini-PC's kernel line differs from the ISO's, in words. */
  kernelLine: pulumi.Output<string>;
  machineConfig: {
    path: string;
    talosConfig?: string;
    ageKeyFile?: string;
    checked: pulumi.Output<CheckedConfig>;
  };
  /** bcrypt hash of root's password on the console. */
  consoleHash: pulumi.Output<string>;
  bootstrapVersion: string;
  artifactName: string;
}

export type Image = ManifestOf<"appliance">;

/** A layer's file, and the SHA-256 of its bytes. */
export type LayerFile = Pick<Image, "path" | "sha256">;

/** The appliance: base, netboot and site layer side by side in one bootable RAW image. */
export class Appliance extends Part {
  readonly image: pulumi.Output<Image>;
  /** Where the image is, a path from the checkout's top. */
  readonly path: string;
  /** The image that is there already, if any. */
  readonly known?: Content;

  constructor(name: string, args: ApplianceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Appliance", name, opts);
    const path = `artifacts/bootstrap/${args.bootstrapVersion}/${args.artifactName}.raw`;
    const { machineConfig } = args;
    this.path = path;
    this.known = intact(join(TOP, path));
    const sources = pulumi
      .all([
        args.base,
        args.netboot,
        args.files,
        args.bootScript,
        args.kernelLine,
        machineConfig.checked,
        args.consoleHash,
        args.images,
      ])
      .apply(([base, netboot, files, bootScript, kernelLine, checked, consoleHash, images]) => ({
        kernelLine,
        consoleHash,
        content: {
          path,
          base: { path: base.path, sha256: base.sha256 },
          netboot: { path: netboot.path, sha256: netboot.sha256 },
          images: images && { path: images.path, sha256: images.sha256 },
          files: { ...files, "boot.ipxe": bootScript },
          machineConfig: { path: machineConfig.path, sha256: checked.sha256 },
          talosConfig:
            machineConfig.talosConfig && checked.talosConfigSha256
              ? { path: machineConfig.talosConfig, sha256: checked.talosConfigSha256 }
              : undefined,
          // One that is empty is no input, so that the images of other stacks keep their keys.
          mirrorPatch: checked.mirrorPatch || undefined,
        },
      }));
    const { manifest } = artifact(
      `${name}-assembly`,
      {
        program: "appliance",
        // The password's hash is in the key only as part of a digest.
        sources: pulumi.unsecret(sources),
        identity: ({ content, consoleHash }: { content: object; consoleHash: string }) => ({
          ...content,
          consoleHash,
        }),
        path,
        input: ({ key, code }, { content, kernelLine }) => ({
          ...{ key, stack: pulumi.getStack(), ageKeyFile: machineConfig.ageKeyFile, kernelLine },
          ...{ ...content, code },
        }),
        secrets: { CONSOLE_HASH: args.consoleHash },
        onDestroy: "discard",
      },
      this,
    );
    this.image = manifest;
    this.registerOutputs({ image: this.image });
  }
}
