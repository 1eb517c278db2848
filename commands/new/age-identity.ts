import { existsSync, mkdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { declaredDefaults } from "../../stack/config/defaults";
import { TOP } from "../../stack/top";
import type { StepContext } from "../../steps/frame/context";
import { StepError } from "../../steps/frame/step-error";
import { failureOf, run } from "../../steps/programs/process";
import { pathIn } from "./answers";
import type { Request } from "./request";
import type { Undo } from "./undo";

/** Whom the secrets of a new stack are encrypted to. */
export interface Identity {
  /** Public keys to encrypt to, with commas between. */
  recipients: string;
  /** What a stack's config has to name, so that sops finds the identity. */
  ageKeyFile?: string;
  made?: string;
}

/** The age identity of the checkout, else where sops looks for one (getsops/sops, "Encrypting using age"). */
function usualIdentity(): string {
  const { ageKeyFile } = declaredDefaults();
  if (ageKeyFile) return resolve(TOP, ageKeyFile);
  const config = process.env.XDG_CONFIG_HOME || join(process.env.HOME || homedir(), ".config");
  return process.env.SOPS_AGE_KEY_FILE || join(config, "sops", "age", "keys.txt");
}

/** The key itself, where neither a flag nor the checkout names its file. */
const keyInEnvironment = (ageKey?: string) =>
  ageKey || declaredDefaults().ageKeyFile ? undefined : process.env.SOPS_AGE_KEY || undefined;

/** The age identity that is missing, if one is. */
export function missingIdentity({ ageKey }: Request): string | undefined {
  const path = ageKey ? resolve(ageKey) : usualIdentity();
  return keyInEnvironment(ageKey) || existsSync(path) ? undefined : path;
}

/** Reads the age identity, which is made first where that is asked for. */
export async function ageIdentity(
  context: StepContext,
  { ageKey }: Request,
  make: boolean,
  undo: Undo,
): Promise<Identity> {
  const path = ageKey ? resolve(ageKey) : usualIdentity();
  if (make) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    undo.add(() => rmSync(path, { force: true }));
    // It makes the file for its user alone, and replaces none.
    await run(context, "age-keygen", ["-o", path]);
  }
  const inEnvironment = keyInEnvironment(ageKey);
  const keys = await run(context, "age-keygen", inEnvironment ? ["-y"] : ["-y", path], {
    input: inEnvironment,
  }).catch((fault: unknown) => {
    context.signal.throwIfAborted();
    const { stderr } = failureOf(fault);
    throw new StepError(
      `reading the age identity ${path}`,
      stderr.trim().split("\n")[0] || (fault as Error).message,
      "Name another by --age-key FILE",
    );
  });
  return {
    recipients: keys.stdout.trim().split(/\s+/).join(","),
    ageKeyFile: ageKey && pathIn(TOP, path),
    made: make ? path : undefined,
  };
}
