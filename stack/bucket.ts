import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

type Environment = Record<string, string | undefined>;

/** Keys of the config that the environment may hold instead, with its names for them, the seed's first. */
const FROM_ENVIRONMENT = {
  bucket: ["IDRIVE_BUCKET"],
  endpoint: ["IDRIVE_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"],
  region: ["IDRIVE_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"],
  isoUrl: ["BOOTSTRAP_PXE_ISO_URL"],
  baseUrl: ["BOOTSTRAP_PXE_BASE_URL"],
};

/** The variable that a config key is taken from where it is not set, if any. */
export const variableOf = (key: string, env: Environment): string | undefined =>
  (FROM_ENVIRONMENT as Record<string, string[]>)[key]?.find((name) => env[name]);

function fromEnvironment<K extends keyof typeof FROM_ENVIRONMENT>(
  env: Environment,
  ...keys: K[]
): { [key in K]?: string } {
  const found = keys.flatMap((key) => {
    const name = variableOf(key, env);
    return name ? [[key, env[name]]] : [];
  });
  return Object.fromEntries(found) as { [key in K]?: string };
}

/** What the environment says of the bucket, by config key. */
export const bucketFrom = (env: Environment) => fromEnvironment(env, "bucket", "endpoint", "region");

/** Where this machine gets the sources of all its stacks from, by config key. */
export const sourcesFrom = (env: Environment) => fromEnvironment(env, "isoUrl", "baseUrl");

/** The variable that holds where a source is for all stacks. */
export const sourceVariable = (key: "isoUrl" | "baseUrl"): string => FROM_ENVIRONMENT[key][0] as string;

/** Names of the two halves of a key, the seed's first: who sets one of them means this pair (tools/s3/credentials). */
const PAIRS = [
  ["IDRIVE_ACCESS_KEY", "IDRIVE_SECRET_KEY"],
  ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
] as const;

const pairIn = (env: Environment) => PAIRS.find((names) => names.some((name) => env[name]));

/** The half of a key that is in the environment, and the one that is not; undefined when both are there, or none. */
export function halfKey(env: Environment): { set: string; missing: string } | undefined {
  const [set, missing] = [true, false].map((is) => pairIn(env)?.find((name) => Boolean(env[name]) === is));
  return set && missing ? { set, missing } : undefined;
}

/** What no key has: the blanks and line breaks that come along when one is copied, and what is not ASCII. */
const NO_KEY_CHARACTER = /[^\x21-\x7e]/;

function strayCharacter(value: string): string | undefined {
  const at = value.search(NO_KEY_CHARACTER);
  if (at < 0) return undefined;
  const what = /[\r\n]/.test(value)
    ? "a line break"
    : /\s/.test(value)
      ? "a blank"
      : "a character that no key has";
  const where =
    value.trimEnd() !== value ? " at its end" : value.trimStart() !== value ? " at its beginning" : "";
  return what + where;
}

/** The half of the key in the environment that has a character which no key has, and which one; no value is told. */
export function strayInKey(env: Environment): string | undefined {
  const pair = pairIn(env) ?? [];
  const names = pair.some((name) => name.startsWith("AWS_")) ? [...pair, "AWS_SESSION_TOKEN"] : pair;
  for (const name of names) {
    const stray = strayCharacter(env[name] ?? "");
    if (stray) return `${name} of the environment has ${stray}`;
  }
  return undefined;
}

/** Whether a key is in the environment, rather than in what AWS's own tools keep. */
const hasKey = (env: Environment) => pairIn(env) !== undefined;

/** Whether there is anything to sign requests with: a look, not a try. */
export function hasCredentials(env: Environment): boolean {
  const kept = env.AWS_SHARED_CREDENTIALS_FILE ?? join(env.HOME ?? homedir(), ".aws", "credentials");
  const others = ["AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
  return hasKey(env) || others.some((name) => Boolean(env[name])) || existsSync(kept);
}

/** Where a server is, as a URL without a path: one that is named by its host alone is asked by TLS. */
export const originOf = (endpoint: string): string =>
  new URL(/^https?:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`).origin;

/** What tells a server from another: its host, and its port if that is not the usual one. Unset, AWS. */
export const serverOf = (endpoint: string | undefined): string | undefined =>
  endpoint && new URL(originOf(endpoint)).host;

/**
 * How the bucket's server is reached, as the arguments of an `aws.Provider`. No key is among them: the plugin has the one
 * of the environment from a program (tools/s3), and any other where AWS's tools keep it.
 */
export function providerArgs({ endpoint, region }: { endpoint?: string; region?: string }, env: Environment) {
  return {
    region: region ?? "us-east-1",
    ...(endpoint && {
      endpoints: [{ s3: originOf(endpoint) }],
      // A server of one's own has no name for each bucket.
      s3UsePathStyle: true,
      skipRequestingAccountId: true,
    }),
    ...(hasKey(env) && { profile: "bootstrap-pxe", sharedConfigFiles: ["tools/s3/config"] }),
    skipCredentialsValidation: true,
    skipMetadataApiCheck: true,
    skipRegionValidation: true,
  };
}
