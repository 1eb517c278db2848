import * as pulumi from "@pulumi/pulumi";
import { faultOf } from "../steps/lib/sops";
import { fileDigest } from "./identity";
import { step } from "./step";
import { codeDigest } from "./step-code";
import { TOP } from "./top";

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

/**
 * A missing or plain file shows without a key, so that a preview tells it too.
 *
 * @throws pulumi.RunError in the step's own words
 */
function refuseWhatShows({ path, talosConfig, allowPlaintext }: MachineConfigArgs): void {
  const machine = faultOf({ path, setKey: "machineConfig", allowPlaintext }, TOP);
  const client = talosConfig && faultOf({ path: talosConfig, setKey: "talosConfig", allowPlaintext }, TOP);
  const faults = [machine, client].flatMap((fault) => (fault ? fault.message : []));
  if (faults.length > 0) throw new pulumi.RunError(faults.join("\n"));
}

/** The machine config, decrypted and checked by Talos's own loader. No plaintext leaves the step. */
export class MachineConfig extends pulumi.ComponentResource {
  readonly checked: pulumi.Output<CheckedConfig>;

  constructor(name: string, args: MachineConfigArgs, opts?: pulumi.ComponentResourceOptions) {
    super("bootstrap-pxe:index:MachineConfig", name, {}, opts);
    refuseWhatShows(args);
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
