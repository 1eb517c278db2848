import { existsSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeWhole } from "./files";
import { StepError } from "./step-error";

const ownerFile = (artifact: string) => join(dirname(artifact), `.${basename(artifact)}.owner`);

/** The stack that owns an artifact's path, if any. */
export function ownerOf(artifact: string): string | undefined {
  return existsSync(ownerFile(artifact)) ? readFileSync(ownerFile(artifact), "utf8").trim() : undefined;
}

/**
 * Takes a path for a stack.
 *
 * @throws StepError when another stack has it
 */
export async function claim(artifact: string, stack: string): Promise<void> {
  const owner = ownerOf(artifact);
  if (owner === stack) return;
  if (owner !== undefined) {
    throw new StepError(
      `writing ${artifact}`,
      `it belongs to the stack ${owner}`,
      `Give this one another name (pulumi config set artifactName NAME --stack ${stack}), or pulumi destroy --stack ${owner} first`,
    );
  }
  await writeWhole(ownerFile(artifact), `${stack}\n`);
}

/** Gives a path back. */
export async function release(artifact: string): Promise<void> {
  await rm(ownerFile(artifact), { force: true });
}
