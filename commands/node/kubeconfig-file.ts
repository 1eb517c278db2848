import { accessSync, constants, lstatSync } from "node:fs";
import { copyFile, link, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { StepError } from "../../steps/frame/step-error";
import { partialBeside } from "../../steps/store/files";

const OTHER = "Name another file, or move it away first: no kubeconfig is ever overwritten";

const isTaken = (fault: unknown) => (fault as NodeJS.ErrnoException).code === "EEXIST";

/**
 * Refuses a file that a kubeconfig cannot be put into, before there is any wait.
 *
 * @throws StepError when something is there, or its folder cannot be written to
 */
export function refuseTaken(path: string): void {
  const doing = `looking where ${path} goes`;
  if (lstatSync(path, { throwIfNoEntry: false })) throw new StepError(doing, "it is there already", OTHER);
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
  } catch {
    throw new StepError(
      doing,
      `${dirname(path)} is no folder that this user may write to`,
      "Make it, or name another",
    );
  }
}

/**
 * Writes a kubeconfig whole, for its owner alone: it has an administrator's key.
 *
 * @throws StepError when something is there meanwhile
 */
export async function writeKubeconfig(path: string, text: string): Promise<void> {
  const partial = await partialBeside(path);
  try {
    await writeFile(partial, text, { mode: 0o600, flag: "wx" });
    // Unlike a rename, a link refuses to replace; some file systems have none, and a copy refuses, too.
    await link(partial, path).catch((fault: unknown) => {
      if (isTaken(fault)) throw fault;
      return copyFile(partial, path, constants.COPYFILE_EXCL);
    });
  } catch (fault) {
    if (isTaken(fault)) throw new StepError(`writing ${path}`, "it is there meanwhile", OTHER);
    throw fault;
  } finally {
    await rm(partial, { force: true });
  }
}
