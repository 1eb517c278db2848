/** What programs may need of the variables that hold a secret, or lead to one. */
const SECRETS = {
  /** Pulumi's own: passphrase, token, and the whole config of a stack. */
  pulumi: /^PULUMI_/,
  /** Keys for the bucket, by AWS's names, which a key service of sops and a registry may be reached with too. */
  aws: /^AWS_/,
  /** The same by this project's names, and sources whose address may have a token. */
  own: /^(IDRIVE_|BOOTSTRAP_PXE_(ISO|BASE)_URL$)/,
  /** What sops decrypts with (getsops/sops, README: age, and key services). */
  sops: /^(SOPS_|VAULT_|HUAWEICLOUD_)/,
  /** Accounts of clouds that have key services of sops and registries: Google's, Microsoft's. */
  clouds: /^(GOOGLE_|CLOUDSDK_|AZURE_)/,
  /** What a component gives its step. */
  step: /^(CONSOLE_HASH|URL_QUERY)$/,
  /** What other tools of the person's are given. */
  others: /TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY/i,
};
type Kind = keyof typeof SECRETS;

/** The programs that need some of them. */
const NEEDS: Record<string, readonly Kind[]> = {
  sops: ["sops", "aws", "clouds", "others"],
  // It starts credential helpers, each with names of its own: docker-credential-ecr-login reads AWS's, gcloud reads CLOUDSDK_CONFIG,
  // docker-credential-acr-env AZURE_CLIENT_SECRET, docker-credential-ghcr-login GITHUB_TOKEN.
  skopeo: ["aws", "clouds", "others"],
  // What it runs are this project's own steps, whose programs come by here again.
  pulumi: ["pulumi", "aws", "own", "sops", "clouds", "others"],
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
