import { closest, distance } from "fastest-levenshtein";
import semver from "semver";
import { bucketFrom, sourcesFrom, variableOf } from "./bucket";
import { crossFaults, queryFaults } from "./config/cross-checks";
import { declaredDefaults } from "./config/defaults";
import { ConfigError, type Fault } from "./config/fault";
import { isKey, KEYS, type Key, type StackConfig } from "./config/keys";
import { addressesOf, asAddress, asNumber, firstBeside, subnetOf } from "./config/subnet";
import { withoutUrlSecrets } from "./source-url";
import { knowsTalos } from "./talos-kernel";

/** A value that is right for a key, as near to the one at hand as possible. */
function exampleFor(key: Key, values: Record<string, string>): string {
  const subnet = subnetOf(values.applianceCidr);
  const value = values[key] ?? "";
  if ((key === "minipcIp" || key === "dhcpRange") && subnet) return addressesOf(subnet)[key];
  const near = subnet && `${asAddress(asNumber(subnet.network) + 2)}/${subnet.prefix}`;
  if (key === "applianceCidr" && KEYS[key].schema.safeParse(near).success) return near!;
  const uplink = key === "uplinkGateway" && subnetOf(values.uplinkCidr);
  if (uplink) return firstBeside(uplink);
  if (key === "talosVersion" && semver.valid(value) && knowsTalos(`v${semver.valid(value)}`))
    return `v${semver.valid(value)}`;
  return KEYS[key].example;
}

function unknownKeyFault(key: string, value: string, values: Record<string, string>): Fault {
  const near = closest(key, Object.keys(KEYS)) as Key;
  const meant = distance(key.toLowerCase(), near.toLowerCase()) <= 3;
  const fits = KEYS[near].schema.safeParse(value).success;
  return {
    key,
    value,
    wrong: meant ? `no such key; did you mean ${near}` : "no such key",
    right: meant ? `${near} = ${fits ? value : exampleFor(near, values)}` : "one of the keys in Pulumi.yaml",
  };
}

/**
 * Checks a stack's config as a whole.
 *
 * @param given values by key, without the namespace; what is missing takes its default from Pulumi.yaml
 * @param stack name of the stack, for the message
 * @param secretKeys keys whose value is not shown in a message
 * @param env what may name the bucket where no key does, and holds its credentials
 * @param found faults of values that were not read as they are written; nothing else is told of those
 * @throws ConfigError with every fault, each with its key, value, what is wrong and an example that is right
 */
export function checkConfig(
  given: Record<string, string>,
  stack: string,
  secretKeys: string[] = [],
  env: NodeJS.ProcessEnv = process.env,
  found: Fault[] = [],
): StackConfig {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
  // Who uploads nothing may have variables of other tools, with whatever values.
  const surroundings = { ...sourcesFrom(env), ...(set.upload === "true" && bucketFrom(env)) };
  const values: Record<string, string> = { ...declaredDefaults(), ...surroundings, ...set };
  const subnet = subnetOf(values.applianceCidr);
  for (const [key, value] of Object.entries(subnet ? addressesOf(subnet) : {})) values[key] ||= value;
  const shown = (key: string) =>
    secretKeys.includes(key) ? "[secret]" : withoutUrlSecrets(values[key] ?? "") || undefined;
  const unknown = Object.keys(given).filter((key) => !isKey(key));
  const faults: Fault[] = [...found, ...unknown.map((key) => unknownKeyFault(key, shown(key) ?? "", values))];
  const checked: Record<string, unknown> = {};
  for (const [key, { schema }] of Object.entries(KEYS) as [Key, (typeof KEYS)[Key]][]) {
    if (found.some((fault) => fault.key === key)) continue;
    // They follow a subnet that is wrong itself.
    if (!subnet && !values[key] && (key === "minipcIp" || key === "dhcpRange")) continue;
    const result = schema.safeParse(values[key] || undefined);
    if (result.success) {
      checked[key] = result.data;
      continue;
    }
    // What is wrong with a value may quote it.
    if (secretKeys.includes(key)) continue;
    const variable = key in set ? undefined : variableOf(key, env);
    const wrong = values[key]
      ? result.error.issues.map((issue) => issue.message).join("; ") +
        (variable ? `, and it comes from ${variable} of the environment` : "")
      : "it has no default";
    faults.push({ key, value: shown(key), wrong, right: exampleFor(key, values) });
  }
  const faultOf = (key: Key, wrong: string) =>
    faults.push({ key, value: shown(key), wrong, right: exampleFor(key, values) });
  for (const key of secretKeys.filter(isKey))
    faultOf(key, "it is set as a secret, and would be shown in plain: no key here takes one");
  for (const fault of queryFaults(checked, set, shown)) faults.push(fault);
  for (const [key, wrong] of crossFaults(checked, values, env)) faultOf(key, wrong);
  if (faults.length > 0) throw new ConfigError(faults, stack);
  return checked as StackConfig;
}
