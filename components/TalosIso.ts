import * as pulumi from "@pulumi/pulumi";
import { factoryIso, factoryPath } from "../stack/image-factory";
import { splitQuery } from "../stack/source-url";
import type { Content } from "./artifact";
import { fetchedFile, type Fetched } from "./fetched-file";
import { keyOf } from "./identity";
import { Part } from "./part";

export interface TalosIsoArgs {
  /** Talos release, with its v. */
  talosVersion: string;
  /** The Image Factory's schematic; unset, a plain release. */
  schematic?: string;
  /** `https://` or `file://`; unset, the schematic's or the release's own. */
  url?: string;
  /** SHA-256 of the ISO; unset, a recorded one or the list beside the ISO counts. */
  sha256?: string;
}

/**
 * The Talos ISO, fetched and checked: a release's own at `artifacts/talos/<version>/metal-amd64.iso`, one from elsewhere in a
 * folder there that its source names.
 */
export class TalosIso extends Part {
  readonly file: pulumi.Output<Fetched>;
  /** The ISO that is there already, if any. */
  readonly known?: Content;

  constructor(name: string, args: TalosIsoArgs, opts?: pulumi.ComponentResourceOptions) {
    super("TalosIso", name, opts);
    const release = `https://github.com/siderolabs/talos/releases/download/${args.talosVersion}/metal-amd64.iso`;
    const url = args.url ?? (args.schematic ? factoryIso(args.schematic, args.talosVersion) : release);
    // Two stacks of one version may have different sources, or expect something else of one.
    const isPlain = url === release && args.sha256 === undefined;
    const source = isPlain ? [] : [keyOf({ url: splitQuery(url).url, sha256: args.sha256 })];
    const { file, known } = fetchedFile(
      `${name}-fetch`,
      {
        url,
        sha256: args.sha256,
        kind: "iso",
        path: ["artifacts/talos", args.talosVersion, ...source, "metal-amd64.iso"].join("/"),
        isUnlisted: factoryPath(url) !== undefined,
        setKeys: { url: "isoUrl", sha256: "isoSha256" },
      },
      this,
      opts?.dependsOn,
    );
    this.file = file;
    this.known = known;
    this.registerOutputs({ file });
  }
}
