import * as pulumi from "@pulumi/pulumi";
import { warningLine, type Finding, type WarningName } from "../stack/finding";
import { findingsOf } from "../steps/talos/findings";
import { imagesOf } from "../steps/talos/image-list";
import type { Surroundings } from "../steps/talos/surroundings";
import { fileDigest } from "./identity";
import { lastCheck } from "./last-check";
import { Part } from "./part";
import { known } from "./preview";
import type { ManifestOf } from "../steps/contracts/contracts";
import { step } from "./step";
import { codeDigest } from "./step-code";

export interface MachineConfigArgs extends Omit<Surroundings, "leases"> {
  /** SOPS-encrypted Talos machine config, a path from the checkout's top. */
  path: string;
  /** SOPS-encrypted Talos client config; unset, none is served. */
  talosConfig?: string;
  /** File with the age identity; unset, sops looks where it always does. */
  ageKeyFile?: string;
  /** Take files that are not encrypted. */
  allowPlaintext: boolean;
  /** Warnings that are not shown. */
  acceptWarnings: readonly WarningName[];
}

/** What the check is given. */
type MachineConfigInput = Omit<MachineConfigArgs, "acceptWarnings"> & {
  encryptedSha256: string;
  code: string;
};

/** What is known of the config without showing it. */
export type CheckedConfig = ManifestOf<"machine-config">;

/** The machine config, decrypted and checked by Talos's own loader. No plaintext leaves the step. */
export class MachineConfig extends Part {
  readonly checked: pulumi.Output<CheckedConfig>;
  private readonly input: MachineConfigInput;
  /** Settles when a preview has shown what it can; in an update, at once. */
  readonly foretold: Promise<void>;

  constructor(
    name: string,
    { acceptWarnings, ...args }: MachineConfigArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("MachineConfig", name, opts, "machine-config");
    const input = {
      ...args,
      encryptedSha256: fileDigest(args.path),
      talosConfigEncryptedSha256: args.talosConfig && fileDigest(args.talosConfig),
      code: codeDigest("machine-config"),
    };
    this.input = input;
    const warn = (line: string) => void pulumi.log.warn(line, this);
    const tell = (findings: Pick<Finding, "name" | "text">[]) =>
      findings
        .filter((finding) => !acceptWarnings.some((each) => each === finding.name))
        .forEach((finding) => warn(warningLine(finding)));
    this.checked = step(`${name}-check`, { program: "machine-config", input }, this);
    this.checked.apply(({ warnings }) => tell(warnings));
    this.foretold = pulumi.runtime.isDryRun() ? this.foretell(input, tell, warn) : Promise.resolve();
    this.registerOutputs({ checked: this.checked });
  }

  /**
   * References of the images that an offline stack's appliance serves, as far as a preview knows them: what the check told, or
   * will tell of the same file.
   */
  async foretoldImages(): Promise<string[] | undefined> {
    const told = await known(this.checked);
    if (told) return told.images;
    const last = lastCheck(this.input);
    return last && imagesOf(last.node, this.input, this.input.extraImages).map(({ reference }) => reference);
  }

  /** A preview decrypts nothing. Where the check will run again for the same file, it shows what the check will find. */
  private async foretell(
    input: MachineConfigInput,
    tell: (findings: Finding[]) => void,
    warn: (line: string) => void,
  ): Promise<void> {
    if (await known(this.checked)) return;
    const last = lastCheck(input);
    if (!last) {
      const what = `${input.path}, or this program's check of it, has changed since it was checked here, or it never was`;
      void pulumi.log.info(
        `${what}: up checks it first, and only then tells what does not fit the link.`,
        this,
      );
      return;
    }
    const findings = findingsOf(last.node, { ...input, leases: last.leases });
    tell(findings.filter(({ level }) => level === "warning"));
    for (const { text } of findings.filter(({ level }) => level === "error"))
      warn(`up will refuse ${input.path}: ${text}`);
  }
}
