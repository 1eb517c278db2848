import { existsSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { failureOf, run } from "./process";
import type { StepContext } from "./step";
import { StepError } from "./step-error";

export interface SecretFile {
  path: string;
  ageKeyFile?: string;
  allowPlaintext: boolean;
  /** Config key that names the file. */
  setKey: "machineConfig" | "talosConfig";
  /** The stack's release of Talos, for the message when the file is missing. */
  talosVersion?: string;
}

/** A SOPS file carries its own metadata under this key (getsops/sops, "stores"). */
const SOPS_METADATA = /^sops:|^\s+"?sops"?:/m;

/** What makes such a file, for the message when it is missing. */
const MADE_BY = {
  machineConfig: (talosVersion = "the stack's talosVersion") =>
    `npm run new makes a stack with its machine config; by hand (config/README.md): talosctl gen config … --talos-version ${talosVersion}`,
  talosConfig: () =>
    "it is made in one go with the machine config (config/README.md); another one would be of another cluster",
};

/**
 * What is wrong with a file that should be encrypted by sops, as far as it shows without decrypting it.
 *
 * @param folder what a relative path counts from
 */
export function faultOf(
  { path, setKey, allowPlaintext, talosVersion }: Omit<SecretFile, "ageKeyFile">,
  folder = ".",
): StepError | undefined {
  const doing = `reading ${path}`;
  const file = resolve(folder, path);
  if (!existsSync(file))
    return new StepError(doing, "no such file", `${MADE_BY[setKey](talosVersion)}; or set ${setKey}`);
  if (!statSync(file).isFile()) return new StepError(doing, "it is no file", `Set ${setKey} to the file`);
  if (allowPlaintext || SOPS_METADATA.test(readFileSync(file, "utf8"))) return undefined;
  return new StepError(
    doing,
    "it is not encrypted by sops",
    `Encrypt it: sops encrypt --in-place --age AGE_PUBLIC_KEY --input-type yaml --output-type yaml ${path}; or accept it: npm run pulumi -- config set allowPlaintextSecrets true`,
  );
}

/** Exit status of sops when no key service gives it the data key (getsops/sops, cmd/sops/codes). */
const NO_KEY = 128;

/**
 * Decrypts a file in memory. A file that sops did not encrypt is refused unless `allowPlaintext`.
 *
 * @throws StepError when it is missing, plain, or none of sops's keys opens it
 */
export async function decrypt(context: StepContext, file: SecretFile): Promise<string> {
  const fault = faultOf(file);
  if (fault) throw fault;
  const text = readFileSync(file.path, "utf8");
  if (!SOPS_METADATA.test(text)) return text;
  const env = file.ageKeyFile ? { SOPS_AGE_KEY_FILE: resolve(file.ageKeyFile) } : {};
  const flags = ["decrypt", "--input-type", "yaml", "--output-type", "yaml", file.path];
  try {
    return (await run(context, "sops", flags, { env, stripFinalNewline: false })).stdout;
  } catch (fault) {
    context.signal.throwIfAborted();
    const { exitCode, stderr } = failureOf(fault);
    if (exitCode === undefined) throw fault;
    const isKeyless = exitCode === NO_KEY;
    const found = isKeyless
      ? "no key on this machine opens it"
      : `it was altered after it was encrypted, or is cut short (sops: ${stderr.trim().split("\n")[0]})`;
    const next = isKeyless
      ? "Set ageKeyFile, or SOPS_AGE_KEY_FILE in the environment, to the file with your age identity (sops's other key services work too)"
      : "Take it from version control again";
    throw new StepError(`decrypting ${file.path}`, found, next);
  }
}
