import { checkConfig } from "../stack/config";
import { NAMESPACE } from "../stack/config/defaults";
import type { StackConfig } from "../stack/config/keys";
import { misreadFaults, readStackFile } from "../stack/stack-files";
import type { StepContext } from "../steps/frame/context";
import { StepError } from "../steps/frame/step-error";
import { failureOf, run } from "../steps/programs/process";

/** A stack's config, as Pulumi holds it. */
export async function configOf(context: StepContext, stack: string): Promise<StackConfig> {
  const reading = `reading the config of the stack ${stack}`;
  const ask = ["config", "--json", "--show-secrets", "--stack", stack];
  const { stdout } = await run(context, "pulumi", ask).catch((fault: unknown) => {
    const words = failureOf(fault)
      .stderr.trim()
      .replace(/^error: /, "");
    throw words ? new StepError(reading, words, "pulumi stack ls names the stacks that there are") : fault;
  });
  const held = JSON.parse(stdout) as Record<string, { value: string }>;
  const own = Object.entries(held).filter(([key]) => key.startsWith(`${NAMESPACE}:`));
  const given = Object.fromEntries(own.map(([key, { value }]) => [key.slice(NAMESPACE.length + 1), value]));
  try {
    const misread = misreadFaults(readStackFile(process.cwd(), stack), given);
    return checkConfig(given, stack, [], process.env, misread);
  } catch (fault) {
    throw new StepError(reading, (fault as Error).message, "docs/troubleshooting.md has more");
  }
}
