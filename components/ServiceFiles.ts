import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../stack/config/keys";
import { bootScriptText } from "./boot-script";
import { Part } from "./part";
import { kernelLineOf, renderServiceFiles, type RenderedFiles } from "../stack/templates";
import { step } from "./step";
import { codeDigest } from "./step-code";

/** The rendered files of the appliance's services, each checked by its own program. */
export class ServiceFiles extends Part {
  readonly files: pulumi.Output<RenderedFiles>;

  constructor(name: string, config: StackConfig, opts?: pulumi.ComponentResourceOptions) {
    super("ServiceFiles", name, opts);
    const files = renderServiceFiles(config);
    // Its template is tried before an ISO is there, so that a fault in it shows at once.
    bootScriptText(config, kernelLineOf(config, []));
    const input = { files, code: codeDigest("check-files") };
    const checked = step(`${name}-check`, { program: "check-files", input }, this);
    this.files = checked.apply(() => files);
    this.registerOutputs({ files: this.files });
  }
}
