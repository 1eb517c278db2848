// Each from its own file: the whole of @pulumi/aws takes longer to load than all else.
import { Provider } from "@pulumi/aws/provider";
import { BucketObjectv2, type BucketObjectv2Args } from "@pulumi/aws/s3/bucketObjectv2";
import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../stack/config/keys";
import type { ServedImage } from "../steps/contracts/image";
import type { Image } from "./Appliance";
import { providerArgs, serverOf } from "../stack/bucket";
import { Part } from "./part";
import { noteUploadForPreview } from "./preview";
import { artifactOf, checksumList, objectFolder, objectManifest } from "./published";
import type { RehearsalSummary } from "./Rehearsal";

export interface PublicationArgs {
  config: StackConfig;
  image: pulumi.Output<Image>;
  compressed?: pulumi.Output<Image>;
  /** The images that the appliance serves, of an offline stack. */
  images?: pulumi.Output<ServedImage[]>;
  rehearsal: pulumi.Output<RehearsalSummary>;
}

/** The artifact, its checksums and its manifest in an S3 bucket. */
export class Publication extends Part {
  /** `s3://…` of the artifact. */
  readonly uri: pulumi.Output<string>;

  constructor(name: string, args: PublicationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Publication", name, opts);
    const { config } = args;
    const bucket = config.bucket ?? "";
    const published = pulumi
      .all([args.image, args.compressed, args.images, args.rehearsal])
      .apply(([image, compressed, images, rehearsal]) => ({ image, compressed, images, rehearsal }));
    const artifact = published.apply(artifactOf);
    const server = serverOf(config.endpoint);
    // What was uploaded to one server is removed there, also when the config names another by then.
    const provider = new Provider(
      [`${name}-s3`, ...(server ? [server] : [])].join("-"),
      providerArgs(config, process.env),
      { parent: this },
    );
    const object = (
      what: string,
      file: pulumi.Input<string>,
      content: Pick<BucketObjectv2Args, "source" | "content" | "contentType">,
      dependsOn: pulumi.Resource[] = [],
    ) =>
      new BucketObjectv2(
        `${name}-${what}`,
        { bucket, key: pulumi.interpolate`${objectFolder(config)}/${file}`, ...content },
        {
          provider,
          parent: this,
          dependsOn,
          replacementTrigger: server ?? "aws",
          // What is in the bucket may be all that is left of an image.
          retainOnDelete: !config.deleteObjects,
          // One server may have two names: what is removed by the old one must not be what was just uploaded by the new.
          deleteBeforeReplace: true,
        },
      );
    const image = object("image", artifact.name, {
      source: artifact.path.apply((path) => new pulumi.asset.FileAsset(path)),
      contentType: "application/octet-stream",
    });
    noteUploadForPreview(`${name}-image`, artifact, image.etag);
    // Who sees these finds the image whole.
    object("checksums", "SHA256SUMS", { content: published.apply(checksumList), contentType: "text/plain" }, [
      image,
    ]);
    object(
      "manifest",
      "manifest.json",
      { content: published.apply((all) => objectManifest(config, all)), contentType: "application/json" },
      [image],
    );
    this.uri = pulumi.interpolate`s3://${bucket}/${image.key}`;
    this.registerOutputs({ uri: this.uri });
  }
}
