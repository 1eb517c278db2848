import { disown, sha256File } from "./files";
import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";

/**
 * Reads a file whole to see that it is what was made: it can be altered, or go bad, with its size and time as they were.
 *
 * @throws StepError when it is not; it counts as missing from then on, so that the next `up` makes it anew
 */
export async function refuseAltered(
  { signal }: Pick<StepContext, "signal">,
  { path, sha256 }: { path: string; sha256: string },
): Promise<void> {
  const found = await sha256File(path, signal);
  if (found === sha256) return;
  await disown(path);
  throw new StepError(
    `reading ${path}`,
    `its SHA-256 is ${found}, and it was made with ${sha256}: something altered it, or the disk is failing`,
    "Run pulumi up again, which makes it anew",
  );
}
