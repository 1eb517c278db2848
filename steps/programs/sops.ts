import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { whyUnreadable } from "../store/given-file";
import { failureOf, run } from "./process";
import { keylessWords, sopsFormOf, sopsWords } from "./sops-file";
import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";

export interface SecretFile {
  path: string;
  ageKeyFile?: string;
  allowPlaintext: boolean;
  /** Config key that names the file. */
  setKey: "machineConfig" | "talosConfig";
  /** The stack's release of Talos, for the message when the file is missing. */
  talosVersion?: string;
}

/** What sops is started with, so that no `.sops.yaml` above the checkout has a say in what comes out. */
export const NO_SOPS_CONFIG = ["--config", "/dev/null"];

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
  const fault = whyUnreadable(file);
  if (fault === "no such file")
    return new StepError(doing, fault, `${MADE_BY[setKey](talosVersion)}; or set ${setKey}`);
  if (fault) return new StepError(doing, fault, `Set ${setKey} to a file that can be read`);
  if (allowPlaintext || sopsFormOf(readFileSync(file, "utf8"))) return undefined;
  return new StepError(
    doing,
    "it is not encrypted by sops",
    "Encrypt it as config/README.md says, or accept it: npm run pulumi -- config set allowPlaintextSecrets true --stack NAME",
  );
}

/** Exit statuses of sops (getsops/sops, cmd/sops/codes). */
const NO_KEY = 128;
/** A value or the MAC over all of them does not fit the key that opens the file. */
const ALTERED = [24, 25, 51, 52];

/** What sops found, and what to do about it. */
function judge(exitCode: number, stderr: string): [found: string, next: string] {
  if (exitCode === NO_KEY)
    return [
      `no key on this machine opens it (sops: ${keylessWords(stderr) || sopsWords(stderr)})`,
      "Set ageKeyFile, or SOPS_AGE_KEY_FILE in the environment, to the file with your age identity (sops's other key services work too)",
    ];
  const words = `(sops: ${sopsWords(stderr) || `status ${exitCode}`})`;
  return ALTERED.includes(exitCode)
    ? [
        `it was altered after it was encrypted, or is cut short ${words}`,
        "Take it from version control again",
      ]
    : [
        `sops cannot read it ${words}`,
        "If it is cut short or has the marks of a merge, take it from version control again",
      ];
}

function refuseKeyFile({ path, ageKeyFile }: SecretFile): void {
  const fault = ageKeyFile && whyUnreadable(resolve(ageKeyFile));
  if (fault)
    throw new StepError(
      `decrypting ${path}`,
      `ageKeyFile is ${ageKeyFile}, and of that file: ${fault}`,
      "Set ageKeyFile to the file with your age identity, a path in full or from the checkout's top",
    );
}

/**
 * Decrypts a file in memory, whether sops encrypted it as YAML or as binary. A file that sops did not encrypt is refused
 * unless `allowPlaintext`.
 *
 * @throws StepError when it is missing, plain, or none of sops's keys opens it
 */
export async function decrypt(context: StepContext, file: SecretFile): Promise<string> {
  const fault = faultOf(file);
  if (fault) throw fault;
  const text = readFileSync(file.path, "utf8");
  const form = sopsFormOf(text);
  if (!form) return text;
  refuseKeyFile(file);
  const env = file.ageKeyFile ? { SOPS_AGE_KEY_FILE: resolve(file.ageKeyFile) } : {};
  const flags = [...NO_SOPS_CONFIG, "decrypt", "--input-type", form, "--output-type", form, file.path];
  try {
    return (await run(context, "sops", flags, { env, stripFinalNewline: false })).stdout;
  } catch (fault) {
    context.signal.throwIfAborted();
    const { exitCode, stderr } = failureOf(fault);
    if (exitCode === undefined) throw fault;
    throw new StepError(`decrypting ${file.path}`, ...judge(exitCode, stderr));
  }
}
