import * as pulumi from "@pulumi/pulumi";
import { COMPRESSORS, type Format } from "../steps/disk/compressors";
import type { Image } from "./Appliance";
import { artifact } from "./artifact";
import type { BaseLayer } from "./BaseImage";
import { keyOf } from "./identity";
import type { NetbootLayer } from "./NetbootAssets";
import { Part } from "./part";
import { codeDigest } from "./step-code";

export interface CompressedImageArgs {
  image: pulumi.Output<Image>;
  /** Where the image is, a path from the checkout's top. */
  path: string;
  format: Format;
  base: pulumi.Output<BaseLayer>;
  netboot: pulumi.Output<NetbootLayer>;
}

/** The compressed image beside the raw one: the members of base and netboot layer are made once and reused by all images. */
export class CompressedImage extends Part {
  readonly file: pulumi.Output<Image>;

  constructor(name: string, args: CompressedImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("CompressedImage", name, opts);
    const { format } = args;
    // How the appliance lays a layer into the image is part of what a member holds.
    const how = { format, assembly: codeDigest("appliance") };
    const { manifest } = artifact(
      `${name}-members`,
      {
        program: "compress",
        sources: pulumi
          .all([args.image, args.base, args.netboot])
          .apply(([image, base, netboot]) => ({ image, base, netboot })),
        identity: ({ image }: { image: Image }) => ({ image: image.sha256, ...how }),
        path: `${args.path}${COMPRESSORS[format].ending}`,
        input: ({ key, path, code }, { image, base, netboot }) => ({
          ...{ key, path, stack: pulumi.getStack() },
          image: { path: image.path, sha256: image.sha256 },
          layers: {
            base: { key: keyOf({ layer: base.sha256, ...how, code }) },
            netboot: { key: keyOf({ layer: netboot.sha256, ...how, code }) },
          },
          ...how,
          code,
        }),
        lock: "artifacts/cache/compressed/lock",
        onDestroy: "discard",
      },
      this,
      opts?.dependsOn,
    );
    this.file = manifest;
    this.registerOutputs({ file: this.file });
  }
}
