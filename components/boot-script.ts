import * as pulumi from "@pulumi/pulumi";
import type { StackConfig } from "../stack/config/keys";
import type { NetbootAssets } from "./NetbootAssets";
import { judgeKernelLine } from "../steps/talos/judge-kernel-line";
import { warningLine } from "../stack/finding";
import { tellInPreview } from "./preview";
import { kernelLineOf, renderBootScript } from "../stack/templates";
import { differenceInWords, type KernelLine } from "../stack/talos-kernel";

export interface BootScript {
  text: pulumi.Output<string>;
  line: pulumi.Output<KernelLine>;
  /** How the line differs from the ISO's. */
  words: pulumi.Output<string>;
}

/**
 * Renders boot.ipxe.
 *
 * @throws pulumi.RunError, shown without a stack trace, when it cannot be what it should
 */
export function bootScriptText(config: StackConfig, line: KernelLine): string {
  try {
    return renderBootScript(config, line);
  } catch (fault) {
    throw new pulumi.RunError((fault as Error).message);
  }
}

/** Tells once what is odd in a stack's kernel line, and not what it accepts. */
function makeWarner({ acceptWarnings }: StackConfig): (line: readonly string[]) => void {
  const told = new Set<string>();
  return (line) => {
    for (const finding of judgeKernelLine(line)) {
      const words = warningLine(finding);
      if (told.has(words) || acceptWarnings.some((each) => each === finding.name)) continue;
      told.add(words);
      void pulumi.log.warn(words);
    }
  };
}

/** What iPXE runs on a stack's mini-PC: it waits for the ISO, since that says what its kernel wants. */
export function bootScript(config: StackConfig, { layer, known }: NetbootAssets): BootScript {
  const line = layer.apply(({ kernelArguments }) => kernelLineOf(config, kernelArguments));
  const warn = makeWarner(config);
  // What the stack adds is known before the ISO is unpacked.
  warn(known ? kernelLineOf(config, known.kernelArguments).arguments : (config.kernelArgs ?? []));
  line.apply((whole) => warn(whole.arguments));
  const text = line.apply((whole) => bootScriptText(config, whole));
  tellInPreview(
    known
      ? differenceInWords(kernelLineOf(config, known.kernelArguments))
      : `The kernel line is the ISO's, which is not unpacked yet${config.kernelArgs ? `; kernelArgs changes it by ${config.kernelArgs.join(" ")}` : ""}.`,
  );
  return { text, line, words: line.apply(differenceInWords) };
}
