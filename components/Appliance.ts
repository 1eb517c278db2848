import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { intact } from "../steps/store/files";
import type { BaseLayer } from "./BaseImage";
import { keyOf } from "./identity";
import type { CheckedConfig } from "./MachineConfig";
import type { NetbootLayer } from "./NetbootAssets";
import { Part } from "./part";
import type { RenderedFiles } from "../stack/service-files";
import type { ManifestOf } from "../steps/contracts/contracts";
import { step } from "./step";
import { codeDigest } from "./step-code";
import { TOP } from "../stack/top";

export interface ApplianceArgs {
  base: pulumi.Output<BaseLayer>;
  netboot: pulumi.Output<NetbootLayer>;
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

/** The appliance: base, netboot and site layer side by side in one bootable RAW image. */
export class Appliance extends Part {
  readonly image: pulumi.Output<Image>;
  /** Where the image is, a path from the checkout's top. */
  readonly path: string;
  /** SHA-256 of the image that is there already, if any. */
  readonly known?: string;

  constructor(name: string, args: ApplianceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Appliance", name, opts);
    const path = `artifacts/bootstrap/${args.bootstrapVersion}/${args.artifactName}.raw`;
    const { machineConfig } = args;
    this.path = path;
    this.known = intact(join(TOP, path))?.sha256;
    const code = codeDigest("appliance");
    const made = pulumi
      .all([
        args.base,
        args.netboot,
        args.files,
        args.bootScript,
        args.kernelLine,
        machineConfig.checked,
        args.consoleHash,
      ])
      .apply(([base, netboot, files, bootScript, kernelLine, checked, consoleHash]) => {
        const content = {
          path,
          base: { path: base.path, sha256: base.sha256 },
          netboot: { path: netboot.path, sha256: netboot.sha256 },
          files: { ...files, "boot.ipxe": bootScript },
          machineConfig: { path: machineConfig.path, sha256: checked.sha256 },
          talosConfig:
            machineConfig.talosConfig && checked.talosConfigSha256
              ? { path: machineConfig.talosConfig, sha256: checked.talosConfigSha256 }
              : undefined,
          // One that is empty is no input, so that the images of other stacks keep their keys.
          mirrorPatch: checked.mirrorPatch || undefined,
          code,
        };
        return {
          key: keyOf({ ...content, consoleHash }),
          stack: pulumi.getStack(),
          ageKeyFile: machineConfig.ageKeyFile,
          kernelLine,
          ...content,
        };
      });
    // The password's hash is in the key only as part of a digest.
    const input = pulumi.unsecret(made);
    this.image = step(
      `${name}-assembly`,
      {
        program: "appliance",
        input,
        artifact: { path, key: input.key },
        secrets: { CONSOLE_HASH: args.consoleHash },
        onDestroy: "discard",
      },
      this,
    );
    this.registerOutputs({ image: this.image });
  }
}
