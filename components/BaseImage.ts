import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../stack/config/keys";
import { splitQuery } from "../stack/source-url";
import { artifact, type Content } from "./artifact";
import { fetchedFile } from "./fetched-file";
import { keyOf } from "./identity";
import { Part } from "./part";
import type { ManifestOf } from "../steps/contracts/contracts";

/** One dated folder and one point release, so that the same config means the same base; digests: sources.lock.json. */
const SOURCES = {
  "cloud-image":
    "https://cloud-images.ubuntu.com/releases/24.04/release-20260826/ubuntu-24.04-server-cloudimg-amd64.img",
  "autoinstall-iso": "https://releases.ubuntu.com/24.04/ubuntu-24.04.3-live-server-amd64.iso",
} as const;

export interface BaseImageArgs {
  source: StackConfig["baseSource"];
  /** `https://` or `file://`; unset, Ubuntu 24.04. */
  url?: string;
  sha256?: string;
  /** Build without any network: the source has every package. */
  offline: boolean;
  accelerator: StackConfig["accelerator"];
  /** Digest over packer/: the template and all it puts into the image. */
  templateDigest: string;
}

export type BaseLayer = ManifestOf<"base">;

/** The base layer: made by Packer once for all stacks whose inputs are the same. */
export class BaseImage extends Part {
  readonly layer: pulumi.Output<BaseLayer>;

  constructor(name: string, args: BaseImageArgs, opts?: pulumi.ComponentResourceOptions) {
    super("BaseImage", name, opts);
    const url = args.url ?? SOURCES[args.source];
    const kind = args.source === "cloud-image" ? "qcow2" : "iso";
    const named = splitQuery(url);
    // Where only a query tells two sources apart, their digests do, which checkConfig asks for.
    const identity = { url: named.url, sha256: named.query ? args.sha256 : undefined };
    const path = `artifacts/cache/sources/${keyOf(identity)}.${kind}`;
    const setKeys = { url: "baseUrl", sha256: "baseSha256" };
    const source = { url, sha256: args.sha256, kind, path, setKeys } as const;
    const { file, known } = fetchedFile(`${name}-fetch`, source, this, opts?.dependsOn);

    const recipe = { source: args.source, templateDigest: args.templateDigest, offline: args.offline };
    const { manifest } = artifact(
      `${name}-packer`,
      {
        program: "base",
        sources: file,
        known,
        identity: (fetched: Content) => ({ sourceSha256: fetched.sha256, ...recipe }),
        path: (key) => `artifacts/cache/base/${key}/base.raw`,
        input: ({ key, path, code }, fetched) => ({
          ...{ key, path, ...recipe, code },
          template: "packer/bootstrap.pkr.hcl",
          sourcePath: fetched.path,
          sourceSha256: fetched.sha256,
        }),
        lock: "artifacts/cache/base/lock",
        settings: { ACCELERATOR: args.accelerator },
      },
      this,
    );
    this.layer = manifest;
    this.registerOutputs({ layer: this.layer });
  }
}
