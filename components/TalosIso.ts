import * as pulumi from "@pulumi/pulumi";
import { fetch, type Fetched } from "./fetch";
import { Part } from "./part";

export interface TalosIsoArgs {
  /** Talos release, with its v. */
  talosVersion: string;
  /** `https://` or `file://`; unset, the release's own. */
  url?: string;
  /** SHA-256 of the ISO; unset, a recorded one or the list beside the ISO counts. */
  sha256?: string;
}

/** The Talos ISO, fetched and checked, at `artifacts/talos/<version>/metal-amd64.iso`. */
export class TalosIso extends Part {
  readonly file: pulumi.Output<Fetched>;
  /** SHA-256 of the ISO that is there already, if any. */
  readonly known?: string;

  constructor(name: string, args: TalosIsoArgs, opts?: pulumi.ComponentResourceOptions) {
    super("TalosIso", name, opts);
    const release = `https://github.com/siderolabs/talos/releases/download/${args.talosVersion}/metal-amd64.iso`;
    const { file, known } = fetch(
      `${name}-fetch`,
      {
        url: args.url ?? release,
        sha256: args.sha256,
        kind: "iso",
        path: `artifacts/talos/${args.talosVersion}/metal-amd64.iso`,
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
