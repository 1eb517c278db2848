import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { lastRun } from "../steps/frame/last-run";
import { ImageStore } from "../steps/registry/store";
import { artifact } from "./artifact";
import { imagesSentence } from "./images-sentence";
import type { MachineConfig } from "./MachineConfig";
import { Part } from "./part";
import { known, lastRunPath, tellInPreview } from "./preview";
import type { ManifestOf } from "../steps/contracts/contracts";
import { step } from "./step";
import { codeDigest } from "./step-code";
import { TOP } from "../stack/top";

export interface ImagesLayerArgs {
  /** The machine config, which tells the images that the mini-PC needs. */
  machineConfig: MachineConfig;
}

/** The layer of images, and what each of them is. */
export type ImagesLayerFile = ManifestOf<"images">;

const FOLDER = "artifacts/cache/images";
const STORE = `${FOLDER}/store`;

/** What names a layer. */
type Listed = Pick<ManifestOf<"image-digests">, "images">;

/** The images layer: what the mini-PC would pull, for the appliance to serve. Stacks with the same set share it. */
export class ImagesLayer extends Part {
  readonly layer: pulumi.Output<ImagesLayerFile>;

  constructor(name: string, { machineConfig }: ImagesLayerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("ImagesLayer", name, opts);
    const asked = machineConfig.checked.apply(({ images }) => ({
      images,
      store: STORE,
      code: codeDigest("image-digests"),
    }));
    const found = step(`${name}-digests`, { program: "image-digests", input: asked }, this, opts?.dependsOn);
    found.apply(({ warnings }) => warnings.map((line) => pulumi.log.warn(line, this)));
    // Which layer it is shows only when the digests are known: the images of the last one may be these.
    const last = lastRun(join(TOP, lastRunPath(`${name}-layer`)))?.input as Partial<Listed> | undefined;
    const { manifest } = artifact(
      `${name}-layer`,
      {
        program: "images",
        sources: found,
        known: last?.images && { images: last.images },
        identity: ({ images }: Listed) => ({ images }),
        path: (key) => `${FOLDER}/${key}/images.squashfs`,
        input: ({ key, path, code }, { images }) => ({ key, path, store: STORE, images, code }),
        lock: `${FOLDER}/lock`,
      },
      this,
    );
    this.layer = manifest;
    if (pulumi.runtime.isDryRun()) tellInPreview(this.foretell(machineConfig, found, last?.images));
    this.registerOutputs({ layer: this.layer });
  }

  /** What a preview says of the images, as far as it knows them. */
  private async foretell(
    machineConfig: MachineConfig,
    found: pulumi.Output<ManifestOf<"image-digests">>,
    last: Listed["images"] = [],
  ): Promise<string> {
    const store = new ImageStore(join(TOP, STORE));
    const sized = (await known(found))?.images;
    if (sized) return imagesSentence(sized.map((image) => ({ ...image, isHere: store.has(image.digest) })));
    const listed = await machineConfig.foretoldImages();
    // Until up asks the registries, a reference means what it meant last time.
    const meant = (reference: string) => {
      const before = last.find((image) => image.reference === reference);
      return before ? { ...before, isHere: store.has(before.digest) } : { reference, isHere: false };
    };
    return listed
      ? imagesSentence(listed.map(meant))
      : "Which images the appliance serves shows when up has read the machine config.";
  }
}
