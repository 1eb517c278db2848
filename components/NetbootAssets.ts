import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { intact } from "../steps/store/files";
import type { Fetched } from "./fetch";
import { keyOf } from "./identity";
import { Part } from "./part";
import type { ManifestOf } from "../steps/contracts/contracts";
import { step } from "./step";
import { codeDigest } from "./step-code";
import { TOP } from "../stack/top";

export interface NetbootAssetsArgs {
  talosVersion: string;
  /** The Image Factory's schematic that the ISO has to be of; unset, none is expected. */
  schematic?: string;
  iso: pulumi.Output<Fetched>;
  /** SHA-256 of the ISO that is there already, if any. */
  knownIso?: string;
}

export type NetbootLayer = ManifestOf<"netboot">;

/** The netboot layer: kernel and initramfs of one Talos version, out of its ISO. */
export class NetbootAssets extends Part {
  readonly layer: pulumi.Output<NetbootLayer>;
  /** What is known of the layer that is there already, if any. */
  readonly known?: Pick<NetbootLayer, "kernelArguments">;

  constructor(name: string, args: NetbootAssetsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("NetbootAssets", name, opts);
    const recipe = { version: args.talosVersion, code: codeDigest("netboot") };
    const pathFor = (isoSha256: string) =>
      `artifacts/cache/netboot/${keyOf({ iso: isoSha256, ...recipe })}/netboot.squashfs`;
    const input = args.iso.apply((iso) => ({
      key: keyOf({ iso: iso.sha256, ...recipe }),
      path: pathFor(iso.sha256),
      isoPath: iso.path,
      isoSha256: iso.sha256,
      talosVersion: args.talosVersion,
      schematic: args.schematic,
      code: recipe.code,
    }));
    const artifact = { path: args.knownIso && pathFor(args.knownIso) };
    this.known = artifact.path
      ? (intact(join(TOP, artifact.path))?.facts as NetbootLayer | undefined)
      : undefined;
    const lock = "artifacts/cache/netboot/lock";
    this.layer = step(`${name}-layer`, { program: "netboot", input, artifact, lock }, this);
    this.layer.apply(({ warnings = [] }) => warnings.map((line) => pulumi.log.warn(line, this)));
    this.registerOutputs({ layer: this.layer });
  }
}
