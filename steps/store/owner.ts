import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeWhole } from "./files";
import { StepError } from "../frame/step-error";

const ownerFile = (artifact: string) => join(dirname(artifact), `.${basename(artifact)}.owner`);

/** The stack that owns an artifact's path, if any; a file that was emptied names none. */
export function ownerOf(artifact: string): string | undefined {
  const path = ownerFile(artifact);
  return (existsSync(path) && readFileSync(path, "utf8").trim()) || undefined;
}

/** A stack's config in the checkout, which is where steps run: without it, no `up` of that stack can ever want its path. */
const configOf = (stack: string) => `Pulumi.${stack}.yaml`;

/**
 * Takes a path for a stack. That of a stack whose file is gone is free: it was renamed, or removed.
 *
 * @throws StepError when another stack has it
 */
export async function claim(artifact: string, stack: string, log: (line: string) => void): Promise<void> {
  const owner = ownerOf(artifact);
  if (owner === stack) return;
  if (owner !== undefined && existsSync(configOf(owner))) {
    throw new StepError(
      `writing ${artifact}`,
      `it belongs to the stack ${owner}`,
      `Give this one another name (pulumi config set artifactName NAME --stack ${stack}), or pulumi destroy --stack ${owner} first, or remove ${configOf(owner)} if there is no such stack any more`,
    );
  }
  if (owner !== undefined) log(`${artifact} was of the stack ${owner}, whose ${configOf(owner)} is gone`);
  await writeWhole(ownerFile(artifact), `${stack}\n`);
}

/** Gives a path back. */
export async function release(artifact: string): Promise<void> {
  await rm(ownerFile(artifact), { force: true });
}
