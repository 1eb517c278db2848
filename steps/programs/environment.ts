/** What programs may need of the variables that hold a secret, or lead to one. */
const SECRETS = {
  /** Pulumi's own: passphrase, token, and the whole config of a stack. */
  pulumi: /^PULUMI_/,
  /** Keys for the bucket, by AWS's names, which a key service of sops may be reached with too. */
  aws: /^AWS_/,
  /** The same by this project's names, and sources whose address may have a token. */
  own: /^(IDRIVE_|BOOTSTRAP_PXE_(ISO|BASE)_URL$)/,
  /** What sops decrypts with (getsops/sops, README: age, and key services). */
  sops: /^(SOPS_|GOOGLE_|CLOUDSDK_|AZURE_|VAULT_|HUAWEICLOUD_)/,
  /** What a component gives its step. */
  step: /^(CONSOLE_HASH|URL_QUERY)$/,
  /** What other tools of the person's are given. */
  others: /TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY/i,
};
type Kind = keyof typeof SECRETS;

/** The programs that need some of them. */
const NEEDS: Record<string, readonly Kind[]> = {
  sops: ["sops", "aws", "others"],
  // What it runs are this project's own steps, whose programs come by here again.
  pulumi: ["pulumi", "aws", "own", "sops", "others"],
};

/**
 * The environment that a program of a step gets: this process's, without the secrets that are not for it.
 *
 * @param program its name, or its path
 */
export function environmentFor(program: string, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const needs = NEEDS[program] ?? [];
  const kinds = Object.entries(SECRETS) as [Kind, RegExp][];
  const isFor = (variable: string) => {
    const kind = kinds.find(([, names]) => names.test(variable))?.[0];
    return kind === undefined || needs.includes(kind);
  };
  return Object.fromEntries(Object.entries(env).filter(([variable]) => isFor(variable)));
}
