import { accessSync, constants, lstatSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { StepError } from "../../steps/frame/step-error";

const OTHER = "Name another file, or move it away first: no kubeconfig is ever overwritten";

/** The file as this process sees it: npm runs its scripts in the checkout's top. */
export const kubeconfigPath = (named: string, env = process.env): string =>
  resolve(env.INIT_CWD ?? ".", named);

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
 * Writes a kubeconfig, for its owner alone: it has an administrator's key.
 *
 * @throws StepError when something is there meanwhile
 */
export async function writeKubeconfig(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: "wx" });
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === "EEXIST")
      throw new StepError(`writing ${path}`, "it is there meanwhile", OTHER);
    await rm(path, { force: true });
    throw fault;
  }
}
