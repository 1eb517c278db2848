import { readFileSync } from "node:fs";
import { join } from "node:path";
import { closest, distance } from "fastest-levenshtein";
import ipaddr from "ipaddr.js";
import semver from "semver";
import isMACAddress from "validator/lib/isMACAddress";
import isURL from "validator/lib/isURL";
import { parse } from "yaml";
import * as z from "zod";
import {
  bucketFrom,
  halfKey,
  hasCredentials,
  sourcesFrom,
  sourceVariable,
  strayInKey,
  variableOf,
} from "./bucket";
import { kernelArgFault, knowsTalos } from "./talos-kernel";
import { TOP } from "./top";
import { fileUrlFault } from "./file-url-fault";
import { factoryPath } from "./image-factory";
import { imageReference } from "./image-reference";
import { splitArguments } from "./kernel-line";
import { NO_USER_INFO, splitQuery, USER_INFO, withoutUrlSecrets } from "./source-url";
import { WARNINGS } from "./finding";

/** Namespace of every config key: the name of the project in Pulumi.yaml. */
export const NAMESPACE = "bootstrap-pxe";

/** A stack's config, checked and normalised. Each key is explained in Pulumi.yaml, which also has the defaults. */
export type StackConfig = { [K in keyof typeof keys]: z.output<(typeof keys)[K]> };

/** One thing that is wrong with one key. */
export interface Fault {
  key: string;
  value: string | undefined;
  wrong: string;
  right: string;
}

/** Every fault of a stack's config at once, one a line. */
export class ConfigError extends Error {
  override name = "ConfigError";
  constructor(
    readonly faults: Fault[],
    stack: string,
  ) {
    const lines = faults.map(({ key, value, wrong, right }) => {
      const shown = value === undefined ? "is not set" : `= ${JSON.stringify(value)}`;
      return `  ${key} ${shown}: ${wrong}. Right: ${right}`;
    });
    const count = faults.length === 1 ? "a fault" : `${faults.length} faults`;
    super(
      `The config of the stack ${stack} has ${count}:\n${lines.join("\n")}\n` +
        `Set a key with: npm run pulumi -- config set KEY VALUE --stack ${stack}`,
    );
  }
}

/** The MAC of the documents and of Pulumi.lab.yaml. Whoever boots with it has not set their own. */
const EXAMPLE_MAC = "00:11:22:33:44:55";

/** What is right for a key, where its value at hand tells nothing better. */
const EXAMPLES = {
  talosVersion: "v1.11.6",
  bootstrapVersion: "2025-12-17",
  minipcMac: `what the mini-PC's label or firmware shows, written like ${EXAMPLE_MAC}`,
  minipcIp: "10.10.10.100",
  applianceCidr: "10.10.10.2/24",
  dhcpRange: "10.10.10.50-10.10.10.60",
  machineConfig: "config/controlplane.yaml",
  talosConfig: "config/talosconfig",
  joins: "false",
  acceptWarnings: "other-nic,time-off-the-link",
  ageKeyFile: "/home/me/.config/sops/age/keys.txt",
  allowPlaintextSecrets: "false",
  talosSchematic: "64 hex digits, as https://factory.talos.dev shows them",
  isoUrl: "file:///srv/iso/metal-amd64.iso",
  isoSha256: "64 hex digits, as sha256sum prints them",
  baseSource: "cloud-image",
  baseUrl: "file:///srv/iso/ubuntu-24.04-server-cloudimg-amd64.img",
  baseSha256: "64 hex digits, as sha256sum prints them",
  baseOffline: "false",
  consoles: "tty0, or tty0,ttyS0,115200n8",
  kernelArgs: "i915.enable_guc=3 -selinux",
  uplink: "true",
  upstreamDns: "9.9.9.9,149.112.112.112",
  offline: "false",
  extraImages: "docker.io/library/busybox:1.37,quay.io/cilium/cilium:v1.18.1",
  rehearse: "true",
  compress: "none",
  upload: "false, or true with a bucket, its key and a rehearsal",
  bucket: "provisioning",
  endpoint: "s3.us-west-1.idrivee2.com",
  region: "us-west-1",
  deleteObjects: "false",
  artifactName: "bootstrap-pxe",
  accelerator: "auto",
} as const satisfies Record<keyof typeof keys, string>;

const isIpv4 = (value: string) => ipaddr.IPv4.isValidFourPartDecimal(value);
const ipv4 = z.string().refine(isIpv4, "not an IPv4 address");
const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    "names a file or folder: 1 to 64 letters, digits, dots, dashes, underscores (a date in YAML needs quotes)",
  );
const flag = z.enum(["true", "false"], "neither true nor false").transform((value) => value === "true");
const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, "not a SHA-256")
  .toLowerCase();
const path = z
  .string()
  .regex(/^[^\0\n]+$/, "not a path")
  .refine(
    (value) => !/^~[^/]*(\/|$)/.test(value),
    "only a shell puts a home in the place of ~: write the path in full",
  );
const source = z
  .string()
  .refine(
    (value) =>
      /^file:\/\/./.test(value) ||
      isURL(value, { protocols: ["https"], require_protocol: true, require_tld: false }),
    "neither an https:// nor a file:// URL",
  )
  .refine((value) => !USER_INFO.test(value), NO_USER_INFO)
  .superRefine((value, context) => {
    const message = fileUrlFault(value);
    if (message) context.addIssue({ code: "custom", message });
  });
/** A list as JSON writes it, as Pulumi hands over a YAML list; undefined for any other text. */
function jsonList(value: string): string[] | undefined {
  if (!value.trim().startsWith("[")) return undefined;
  try {
    const read = z.array(z.string()).safeParse(JSON.parse(value));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}

const list = <T extends z.ZodType<string, string>>(item: T) =>
  z
    .string()
    .transform((value) => (jsonList(value) ?? value.split(",")).map((part) => part.trim()))
    .pipe(z.array(item));

/** A comma parts two consoles only where a console's name follows: `ttyS0,115200n8` is one, with its speed. */
const BETWEEN_CONSOLES = /,\s*(?=tty|hvc|uart|null)/;

/** What the kernel takes for a console on x86, with its options (Linux, kernel-parameters.txt, console=). */
const CONSOLE =
  /^(tty\d+|(ttyS|ttyUSB|hvc)\d+(,\d+[neo]?[5-8]?r?)?|uart(8250)?,(io|mmio|mmio16|mmio32),(0x)?[\da-f]+(,\d+[neo]?[5-8]?r?)?|null)$/i;

const consoles = z
  .string()
  .transform((value) => (jsonList(value) ?? value.split(BETWEEN_CONSOLES)).map((part) => part.trim()))
  .pipe(z.array(z.string().regex(CONSOLE, "not a kernel console")));

const kernelArgs = z
  .string()
  .refine(
    (value) => !value.trim().startsWith("[") || jsonList(value) !== undefined,
    "not a list as JSON writes it, each argument in double quotes",
  )
  .transform((value) => (jsonList(value) ?? [value]).flatMap(splitArguments))
  .superRefine((given, context) => {
    for (const message of given.flatMap((argument) => kernelArgFault(argument) ?? []))
      context.addIssue({ code: "custom", message });
  });

/** IEEE 802: the lowest bit of the first byte marks a group address, which no NIC has. */
function macFault(mac: string): string | undefined {
  if (mac === "00:00:00:00:00:00") return "all zero, no NIC has it";
  if (mac === "ff:ff:ff:ff:ff:ff") return "the broadcast address, no NIC has it";
  if (mac === EXAMPLE_MAC) return "the example in the documents; set the MAC of the real mini-PC";
  return parseInt(mac.slice(0, 2), 16) & 1 ? "a multicast address, no NIC has it" : undefined;
}

const mac = z
  .string()
  .refine((value) => isMACAddress(value, { eui: "48" }), "not a MAC address of 6 bytes")
  .transform((value) =>
    value
      .toLowerCase()
      .replace(/[^0-9a-f]/g, "")
      .match(/../g)!
      .join(":"),
  )
  .superRefine((value, context) => {
    const wrong = macFault(value);
    if (wrong) context.addIssue({ code: "custom", message: wrong });
  });

const cidr = z
  .string()
  .refine(
    (value) => /^[\d.]+\/\d+$/.test(value) && ipaddr.IPv4.isValidCIDR(value),
    "not an IPv4 address with its prefix length",
  )
  .refine((value) => {
    const prefix = Number(value.split("/")[1]);
    return !ipaddr.IPv4.isValidCIDR(value) || (prefix >= 8 && prefix <= 30);
  }, "the prefix length is not between 8 and 30")
  .transform((value) => {
    const [address, prefix] = ipaddr.IPv4.parseCIDR(value);
    return {
      cidr: `${address.toString()}/${prefix}`,
      address: address.toString(),
      network: ipaddr.IPv4.networkAddressFromCIDR(value).toString(),
      broadcast: ipaddr.IPv4.broadcastAddressFromCIDR(value).toString(),
      netmask: ipaddr.IPv4.subnetMaskFromPrefixLength(prefix).toString(),
      prefix,
    };
  });
type Subnet = z.output<typeof cidr>;

const range = z
  .string()
  .refine((value) => {
    const ends = value.split("-").map((end) => end.trim());
    return ends.length === 2 && ends.every(isIpv4);
  }, "not FIRST-LAST, two IPv4 addresses")
  .transform((value) => {
    const [first, last] = value.split("-").map((end) => end.trim()) as [string, string];
    return { first, last };
  });

const keys = {
  talosVersion: z
    .string()
    .refine(
      (value) => value.startsWith("v") && semver.valid(value) !== null,
      "not a Talos release: v, then three numbers",
    )
    .refine(
      (value) => semver.valid(value) === null || knowsTalos(value),
      "older than v1.9.0, the oldest release that is supported",
    ),
  bootstrapVersion: name,
  minipcMac: mac,
  minipcIp: ipv4,
  applianceCidr: cidr,
  dhcpRange: range,
  machineConfig: path,
  talosConfig: path.optional(),
  joins: flag,
  acceptWarnings: list(
    z.enum(WARNINGS, {
      error: ({ input }) => `no warning is named ${String(input)}; there are ${WARNINGS.join(", ")}`,
    }),
  ).default([]),
  ageKeyFile: path.optional(),
  allowPlaintextSecrets: flag,
  talosSchematic: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, "not the id of a schematic")
    .toLowerCase()
    .optional(),
  isoUrl: source.optional(),
  isoSha256: sha256.optional(),
  baseSource: z.enum(["cloud-image", "autoinstall-iso"], "neither cloud-image nor autoinstall-iso"),
  baseUrl: source.optional(),
  baseSha256: sha256.optional(),
  baseOffline: flag,
  consoles,
  kernelArgs: kernelArgs.optional(),
  uplink: flag,
  upstreamDns: list(z.string().refine((value) => ipaddr.isValid(value), "not an IP address")).optional(),
  offline: flag,
  extraImages: list(
    z.string().refine((value) => imageReference(value) !== undefined, {
      error: ({ input }) => `${String(input)} is no reference to an image`,
    }),
  ).default([]),
  rehearse: flag,
  compress: z.enum(["none", "gzip", "zstd"], "neither none, gzip nor zstd"),
  upload: flag,
  bucket: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      "not a bucket's name: 3 to 63 lower-case letters, digits, dots, dashes",
    )
    .optional(),
  endpoint: z
    .string()
    .refine(
      (value) => isURL(value, { protocols: ["https", "http"], require_tld: false }),
      "neither a host nor a URL",
    )
    .refine(
      (value) => /^(https?:\/\/)?[^/?#]+\/?$/i.test(value),
      "it names a path, and a server has none; the bucket is named by the key bucket",
    )
    .refine((value) => !USER_INFO.test(value), NO_USER_INFO)
    .optional(),
  region: z
    .string()
    .regex(/^[a-z0-9-]+$/, "not a region")
    .optional(),
  deleteObjects: flag,
  artifactName: name,
  accelerator: z.enum(["auto", "kvm", "hvf", "tcg"], "neither auto, kvm, hvf nor tcg"),
};

/** Whether a key is either true or false. */
export const isFlag = (key: string): boolean => (keys as Record<string, unknown>)[key] === flag;

let defaults: Record<string, string> | undefined;

/** What each key is where a stack does not set it: the checkout's own value or the default of Pulumi.yaml. An empty one counts as not set. */
export function declaredDefaults(): Record<string, string> {
  if (defaults) return defaults;
  const project = parse(readFileSync(join(TOP, "Pulumi.yaml"), "utf8")) as {
    config: Record<string, { value?: string | number | boolean; default: string }>;
  };
  defaults = Object.fromEntries(
    Object.entries(project.config).map(([key, { value, default: otherwise }]) => [
      key.slice(NAMESPACE.length + 1),
      String(value ?? otherwise),
    ]),
  );
  return defaults;
}

function inSubnet(address: string, subnet: Subnet): boolean {
  return ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(subnet.cidr));
}

const asNumber = (address: string) =>
  ipaddr.IPv4.parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0);

const asAddress = (number: number) =>
  new ipaddr.IPv4([24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256)).toString();

/** Leases that suit a subnet, the best first: from its host 100 on, then those below. */
export function* leasesFor(subnet: Subnet): Generator<string> {
  const [network, last] = [asNumber(subnet.network), asNumber(subnet.broadcast) - 1];
  const own = asNumber(subnet.address);
  const middle = Math.min(network + 100, last);
  for (let host = middle; host <= last; host++) if (host !== own) yield asAddress(host);
  for (let host = middle - 1; host > network; host--) if (host !== own) yield asAddress(host);
}

/** The addresses of a stack that sets none of its own: its subnet's host 100, and hosts 50 to 60. */
function addressesOf(subnet: Subnet): { minipcIp: string; dhcpRange: string } {
  const minipcIp = leasesFor(subnet).next().value as string;
  const [first, last] = [50, 60].map((host) => asNumber(subnet.network) + host) as [number, number];
  const own = asNumber(subnet.address);
  // A range has to be in the subnet without the appliance; only the lease is ever given out.
  const fits = last < asNumber(subnet.broadcast) && (own < first || own > last);
  return { minipcIp, dhcpRange: fits ? `${asAddress(first)}-${asAddress(last)}` : `${minipcIp}-${minipcIp}` };
}

/** The subnet that was meant, as far as a value shows it: also the one of a network's own address. */
function subnetOf(value: string | undefined): Subnet | undefined {
  const read = cidr.safeParse(value);
  return read.success ? read.data : undefined;
}

/** A value that is right for a key, as near to the one at hand as possible. */
function exampleFor(key: keyof typeof keys, values: Record<string, string>): string {
  const subnet = subnetOf(values.applianceCidr);
  const value = values[key] ?? "";
  if ((key === "minipcIp" || key === "dhcpRange") && subnet) return addressesOf(subnet)[key];
  if (key === "applianceCidr" && subnet) return `${asAddress(asNumber(subnet.network) + 2)}/${subnet.prefix}`;
  if (key === "talosVersion" && semver.valid(value) && knowsTalos(`v${semver.valid(value)}`))
    return `v${semver.valid(value)}`;
  return EXAMPLES[key];
}

/** What single values cannot show: how the addresses fit together, and what an upload needs. */
function crossFaults(
  config: Partial<StackConfig>,
  values: Record<string, string>,
  env: NodeJS.ProcessEnv,
): [key: keyof typeof keys, wrong: string][] {
  const faults: [keyof typeof keys, string][] = [];
  const { talosSchematic, talosVersion } = config;
  const factory = factoryPath(config.isoUrl ?? "");
  if (factory && talosSchematic && factory.schematic !== talosSchematic)
    faults.push(["isoUrl", `of the schematic ${factory.schematic}, but talosSchematic is ${talosSchematic}`]);
  if (factory && talosVersion && factory.talosVersion !== talosVersion)
    faults.push(["isoUrl", `of Talos ${factory.talosVersion}, but talosVersion is ${talosVersion}`]);
  const { applianceCidr: link, minipcIp: lease, dhcpRange } = config;
  if (link) {
    const reserved = (address: string) => [link.network, link.broadcast].includes(address);
    if (reserved(link.address))
      faults.push([
        "applianceCidr",
        `${link.address} is the network or the broadcast address of its own subnet`,
      ]);
    if (lease) {
      if (!inSubnet(lease, link))
        faults.push(["minipcIp", `outside the appliance's subnet ${link.network}/${link.prefix}`]);
      else if (lease === link.address)
        faults.push(["minipcIp", "the appliance's own address (applianceCidr)"]);
      else if (reserved(lease))
        faults.push(["minipcIp", "the network or the broadcast address of the subnet"]);
    }
    if (dhcpRange) {
      const { first, last } = dhcpRange;
      if (![first, last].every((end) => inSubnet(end, link))) {
        faults.push(["dhcpRange", `outside the appliance's subnet ${link.network}/${link.prefix}`]);
      } else if (asNumber(first) > asNumber(last)) {
        faults.push(["dhcpRange", "its first address comes after its last"]);
      } else if (asNumber(first) <= asNumber(link.address) && asNumber(link.address) <= asNumber(last)) {
        faults.push(["dhcpRange", `holds the appliance's own address ${link.address}`]);
      } else if ([first, last].some(reserved)) {
        faults.push(["dhcpRange", "holds the network or the broadcast address of the subnet"]);
      }
    }
  }
  if (config.extraImages?.length && config.offline === false)
    faults.push(["extraImages", "they are served by an offline stack's appliance, and offline is false"]);
  if (config.upload) {
    if (config.rehearse === false)
      faults.push(["upload", "only what was rehearsed is published, and rehearse is false"]);
    if (!values.bucket) faults.push(["bucket", "upload is true, and neither it nor IDRIVE_BUCKET is set"]);
    const half = halfKey(env);
    if (half) faults.push(["upload", `${half.set} is set in the environment, ${half.missing} is not`]);
    const stray = strayInKey(env);
    if (stray) faults.push(["upload", `${stray}: set it anew, without`]);
    if (!half && !hasCredentials(env))
      faults.push([
        "upload",
        "there is no key for the bucket: set IDRIVE_ACCESS_KEY and IDRIVE_SECRET_KEY in the environment, or AWS's",
      ]);
  }
  return faults;
}

/** The sources, each with the key that tells its content. */
const SOURCES = { isoUrl: "isoSha256", baseUrl: "baseSha256" } as const;

/**
 * What is wrong with the queries of sources: each may be a signature or a token, and no part of what names the source.
 *
 * @param set what the stack's own config sets
 */
function queryFaults(
  config: Partial<StackConfig>,
  set: Record<string, string>,
  shown: (key: string) => string | undefined,
): Fault[] {
  return (Object.keys(SOURCES) as (keyof typeof SOURCES)[]).flatMap((key) => {
    if (splitQuery(config[key] ?? "").query === "") return [];
    const digest = SOURCES[key];
    const inFile = {
      wrong:
        "what follows its question mark may be a token, which the stack's file and Pulumi's history would show",
      right: `unset here, and ${sourceVariable(key)} in the environment of the command`,
    };
    const untold = {
      wrong: `what follows its question mark does not count as its name, so ${digest} has to tell which file is meant`,
      right: `the same, with ${digest} set`,
    };
    return [...(key in set ? [inFile] : []), ...(config[digest] ? [] : [untold])].map((fault) => ({
      key,
      value: shown(key),
      ...fault,
    }));
  });
}

function unknownKeyFault(key: string, value: string, values: Record<string, string>): Fault {
  const near = closest(key, Object.keys(keys)) as keyof typeof keys;
  const meant = distance(key.toLowerCase(), near.toLowerCase()) <= 3;
  const fits = keys[near].safeParse(value).success;
  return {
    key,
    value,
    wrong: meant ? `no such key; did you mean ${near}` : "no such key",
    right: meant ? `${near} = ${fits ? value : exampleFor(near, values)}` : "one of the keys in Pulumi.yaml",
  };
}

/** What of a stack's config its mini-PC has for itself. What is not set or not right is left out. */
export interface Machine {
  mac?: string;
  lease?: string;
  /** The isolated link, as NETWORK/PREFIX. */
  link?: string;
}

/** @param given values by key, without the namespace */
export function machineOf(given: Record<string, string>): Machine {
  const subnet = subnetOf(given.applianceCidr || declaredDefaults().applianceCidr);
  const mac = keys.minipcMac.safeParse(given.minipcMac);
  const lease = given.minipcIp || (subnet && addressesOf(subnet).minipcIp);
  return {
    mac: mac.success ? mac.data : undefined,
    lease: lease && isIpv4(lease) ? lease : undefined,
    link: subnet && `${subnet.network}/${subnet.prefix}`,
  };
}

/** The image that a stack makes, a path from the checkout's top. */
export function imageOf(given: Record<string, string>): string {
  const value = (key: string) => given[key] || declaredDefaults()[key] || "";
  return `artifacts/bootstrap/${value("bootstrapVersion")}/${value("artifactName")}.raw`;
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
  const unknown = Object.keys(given).filter((key) => !(key in keys));
  const faults: Fault[] = [...found, ...unknown.map((key) => unknownKeyFault(key, shown(key) ?? "", values))];
  const checked: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(keys) as [keyof typeof keys, z.ZodType][]) {
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
  const faultOf = (key: keyof typeof keys, wrong: string) =>
    faults.push({ key, value: shown(key), wrong, right: exampleFor(key, values) });
  for (const key of secretKeys.filter((key): key is keyof typeof keys => key in keys))
    faultOf(key, "it is set as a secret, and would be shown in plain: no key here takes one");
  for (const fault of queryFaults(checked, set, shown)) faults.push(fault);
  for (const [key, wrong] of crossFaults(checked, values, env)) faultOf(key, wrong);
  if (faults.length > 0) throw new ConfigError(faults, stack);
  return checked as StackConfig;
}
