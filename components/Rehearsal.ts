import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../stack/config/keys";
import type { Image } from "./Appliance";
import { artifact, type Content } from "./artifact";
import type { CheckedConfig } from "./MachineConfig";
import { Part } from "./part";
import { rehearsalSubject } from "../stack/rehearsal-subject";
import { kernelLineOf } from "../stack/templates";
import type { ManifestOf } from "../steps/contracts/contracts";
import type { KernelLine } from "../stack/talos-kernel";
import type { ServedImage } from "../steps/contracts/image";

export interface RehearsalArgs {
  config: StackConfig;
  image: pulumi.Output<Image>;
  /** The image that is there already, if any. */
  knownImage?: Content;
  checked: pulumi.Output<CheckedConfig>;
  kernelLine: pulumi.Output<KernelLine>;
  /** What the layer of images has; unset for a stack that is not offline. */
  images?: pulumi.Output<ServedImage[]>;
}

/** The result of a rehearsal; times in seconds from the appliance's power-on. */
export type RehearsalSummary = ManifestOf<"rehearse">;

/** What the stack's output says of a rehearsal: one sentence, and the path of its page. */
export const inOneSentence = ({ seconds, proved, timeline }: RehearsalSummary) =>
  `A virtual mini-PC booted from it in ${Math.round(seconds)} s, ${proved.length} proofs held: ${timeline}`;

/** Boots the image and a virtual mini-PC before it counts. One that was rehearsed is not rehearsed again. */
export class Rehearsal extends Part {
  readonly summary: pulumi.Output<RehearsalSummary>;

  constructor(name: string, args: RehearsalArgs, opts?: pulumi.ComponentResourceOptions) {
    super("Rehearsal", name, opts);
    const { config, image, knownImage, checked, kernelLine } = args;
    // The image's digest stands for all that went into it, the ISO's kernel line among it, but not for what is expected of it.
    const expected = rehearsalSubject(config, kernelLineOf(config, []));
    const { manifest } = artifact(
      `${name}-boot`,
      {
        program: "rehearse",
        sources: pulumi
          .all([image, checked, kernelLine, args.images])
          .apply(([made, check, line, images]) => ({ sha256: made.sha256, made, check, line, images })),
        known: knownImage,
        identity: ({ sha256 }: Content) => ({ imageSha256: sha256, expected }),
        path: (key) =>
          `artifacts/rehearsal/${config.bootstrapVersion}/${config.artifactName}-${key}/rehearsal.json`,
        input: (
          { key, path, code },
          { made, check: { sha256, timeElsewhere, unseenDisk }, line, images },
        ) => ({
          ...{ key, path, image: made, subject: { ...rehearsalSubject(config, line), images } },
          ...{ configSha256: sha256, timeElsewhere, unseenDisk, code },
        }),
        settings: { ACCELERATOR: config.accelerator },
      },
      this,
    );
    this.summary = manifest;
    this.registerOutputs({ summary: this.summary });
  }
}
