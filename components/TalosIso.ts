import * as pulumi from "@pulumi/pulumi";
import { codeDigest, keyOf } from "./identity";
import { step } from "./step";

export interface TalosIsoArgs {
  /** Talos release, with its v. */
  talosVersion: string;
  /** `https://` or `file://`; unset, the release's own. */
  url?: string;
  /** SHA-256 of the ISO; unset, sources.lock.json or the list beside the ISO counts. */
  sha256?: string;
}

export interface Fetched {
  path: string;
  sha256: string;
  bytes: number;
}

/** The Talos ISO, fetched and checked, at `artifacts/talos/<version>/metal-amd64.iso`. */
export class TalosIso extends pulumi.ComponentResource {
  readonly file: pulumi.Output<Fetched>;
  /** What names the ISO before it is fetched. */
  readonly identity: { url: string; sha256?: string };

  constructor(name: string, args: TalosIsoArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bootstrap-pxe:index:TalosIso", name, {}, opts);
    const release = `https://github.com/siderolabs/talos/releases/download/${args.talosVersion}/metal-amd64.iso`;
    const path = `artifacts/talos/${args.talosVersion}/metal-amd64.iso`;
    this.identity = { url: args.url ?? release, sha256: args.sha256 };
    const what = { ...this.identity, kind: "iso", code: codeDigest("fetch") };
    const input = { key: keyOf(what), path, ...what, setKeys: { url: "isoUrl", sha256: "isoSha256" } };
    this.file = step<Fetched>(
      `${name}-fetch`,
      { program: "fetch", input, artifact: path, lock: `${path}.lock` },
      this,
      opts?.dependsOn,
    );
    this.registerOutputs({ file: this.file });
  }
}
