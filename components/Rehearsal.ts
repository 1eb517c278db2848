import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../stack/config";
import type { Image } from "./Appliance";
import { keyOf } from "./identity";
import type { CheckedConfig } from "./MachineConfig";
import { Part } from "./part";
import { rehearsalSubject } from "../stack/rehearsal-subject";
import { kernelLineOf } from "../stack/service-files";
import type { ManifestOf } from "../steps/contracts/contracts";
import { step } from "./step";
import { codeDigest } from "./step-code";
import type { KernelLine } from "../stack/talos-kernel";

export interface RehearsalArgs {
  config: StackConfig;
  image: pulumi.Output<Image>;
  /** SHA-256 of the image that is there already, if any. */
  knownImage?: string;
  checked: pulumi.Output<CheckedConfig>;
  kernelLine: pulumi.Output<KernelLine>;
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
    const code = codeDigest("rehearse");
    // The image's digest stands for all that went into it, the ISO's kernel line among it, but not for what is expected of it.
    const expected = rehearsalSubject(config, kernelLineOf(config, []));
    const keyFor = (imageSha256: string) => keyOf({ imageSha256, expected, code });
    const pathFor = (imageSha256: string) =>
      `artifacts/rehearsal/${config.bootstrapVersion}/${config.artifactName}-${keyFor(imageSha256)}/rehearsal.json`;
    const input = pulumi
      .all([image, checked, kernelLine])
      .apply(([made, { sha256, timeElsewhere, unseenDisk }, line]) => ({
        key: keyFor(made.sha256),
        path: pathFor(made.sha256),
        image: made,
        subject: rehearsalSubject(config, line),
        configSha256: sha256,
        timeElsewhere,
        unseenDisk,
        code,
      }));
    this.summary = step(
      `${name}-boot`,
      {
        program: "rehearse",
        input,
        artifact: { path: knownImage && pathFor(knownImage) },
        settings: { ACCELERATOR: config.accelerator },
      },
      this,
    );
    this.registerOutputs({ summary: this.summary });
  }
}
