import * as pulumi from "@pulumi/pulumi";
import { COMPRESSORS, type Format } from "../steps/disk/compressors";
import type { Image, LayerFile } from "./Appliance";
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
  /** The layer of images; unset for a stack that is not offline. */
  images?: pulumi.Output<LayerFile>;
}

/** The compressed image beside the raw one: the members of the layers are made once and reused by all images. */
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
          .all([args.image, args.base, args.netboot, args.images])
          .apply(([image, base, netboot, images]) => ({ image, base, netboot, images })),
        identity: ({ image }: { image: Image }) => ({ image: image.sha256, ...how }),
        path: `${args.path}${COMPRESSORS[format].ending}`,
        input: ({ key, path, code }, { image, base, netboot, images }) => ({
          ...{ key, path, stack: pulumi.getStack() },
          image: { path: image.path, sha256: image.sha256 },
          layers: {
            base: { key: keyOf({ layer: base.sha256, ...how, code }) },
            netboot: { key: keyOf({ layer: netboot.sha256, ...how, code }) },
            images: images && { key: keyOf({ layer: images.sha256, ...how, code }) },
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
