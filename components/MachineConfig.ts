import * as pulumi from "@pulumi/pulumi";
import { fileDigest } from "./identity";
import { Part } from "./part";
import { step } from "./step";
import { codeDigest } from "./step-code";

export interface MachineConfigArgs {
  /** SOPS-encrypted Talos machine config, a path from the checkout's top. */
  path: string;
  /** SOPS-encrypted Talos client config; unset, none is served. */
  talosConfig?: string;
  /** File with the age identity; unset, sops looks where it always does. */
  ageKeyFile?: string;
  /** Take files that are not encrypted. */
  allowPlaintext: boolean;
  talosVersion: string;
  /** The Image Factory's schematic of the ISO, which the installer has to be of too. */
  schematic?: string;
  minipcIp: string;
  minipcMac: string;
  applianceCidr: string;
  /** Whether the mini-PC joins a cluster that another control plane starts. */
  joins: boolean;
}

/** What is known of the config without showing it. */
export interface CheckedConfig {
  machineType: string;
  endpoint: string;
  installImage: string;
  /** Names the cluster: the same for each of its machines. */
  cluster: string;
  /** What is legal but looks like an oversight. */
  warnings: string[];
  /** SHA-256 of the decrypted file: what the appliance serves is checked against it. */
  sha256: string;
  talosConfigSha256?: string;
}

/** The machine config, decrypted and checked by Talos's own loader. No plaintext leaves the step. */
export class MachineConfig extends Part {
  readonly checked: pulumi.Output<CheckedConfig>;

  constructor(name: string, args: MachineConfigArgs, opts?: pulumi.ComponentResourceOptions) {
    super("MachineConfig", name, opts, "machine-config");
    const input = {
      ...args,
      encryptedSha256: fileDigest(args.path),
      talosConfigEncryptedSha256: args.talosConfig && fileDigest(args.talosConfig),
      code: codeDigest("machine-config"),
    };
    this.checked = step<CheckedConfig>(`${name}-check`, { program: "machine-config", input }, this);
    this.checked.apply(({ warnings = [] }) => warnings.map((line) => pulumi.log.warn(line, this)));
    this.registerOutputs({ checked: this.checked });
  }
}
