import * as pulumi from "@pulumi/pulumi";
import { codeDigest, keyOf } from "./identity";
import { step } from "./step";
import type { Fetched } from "./TalosIso";

export interface NetbootAssetsArgs {
  talosVersion: string;
  iso: pulumi.Output<Fetched>;
  /** What names the ISO before it is fetched: its URL and checksum. */
  isoIdentity: object;
}

export interface NetbootLayer {
  path: string;
  sha256: string;
  bytes: number;
  kernelVersion: string;
}

/** The netboot layer: kernel and initramfs of one Talos version, out of its ISO. */
export class NetbootAssets extends pulumi.ComponentResource {
  readonly layer: pulumi.Output<NetbootLayer>;

  constructor(name: string, args: NetbootAssetsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bootstrap-pxe:index:NetbootAssets", name, {}, opts);
    const code = codeDigest("netboot");
    const key = keyOf({ iso: args.isoIdentity, version: args.talosVersion, code });
    const artifact = `artifacts/cache/netboot/${key}/netboot.squashfs`;
    const input = args.iso.apply((iso) => ({
      key: keyOf({ iso: iso.sha256, version: args.talosVersion, code }),
      path: artifact,
      isoPath: iso.path,
      isoSha256: iso.sha256,
      talosVersion: args.talosVersion,
      code,
    }));
    this.layer = step<NetbootLayer>(
      `${name}-layer`,
      { program: "netboot", input, artifact, lock: `${artifact}.lock` },
      this,
    );
    this.registerOutputs({ layer: this.layer });
  }
}
