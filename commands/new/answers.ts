import { isAbsolute, relative } from "node:path";
import ipaddr from "ipaddr.js";
import isFQDN from "validator/lib/isFQDN";
import { checkConfig } from "../../stack/config";
import { ConfigError } from "../../stack/config/fault";
import { declaredDefaults, machineOf } from "../../stack/config/defaults";
import { leasesFor } from "../../stack/config/subnet";
import { isIpv4, noHostFault } from "../../stack/config/values";
import type { StackFile } from "../../stack/stack-files";
import { factoryInstaller } from "../../stack/image-factory";
import { StepError } from "../../steps/frame/step-error";

/** What a person says of a new mini-PC, as text: by option, or asked for on a terminal. */
export interface Answers {
  mac?: string;
  ip?: string;
  disk?: string;
  endpoint?: string;
  talosVersion?: string;
  schematic?: string;
  role?: string;
  join?: string;
  appliance?: string;
  vip?: string;
  cluster?: string;
  bootstrapVersion?: string;
}

/** A stack to make, all of it checked. */
export interface Plan {
  stack: string;
  role: Role;
  /** Stack whose cluster it joins. */
  join?: string;
  cluster: string;
  /** Under which address the cluster is reached, as a URL. */
  endpoint: string;
  /** Address that the cluster's control planes share, if any. */
  vip?: string;
  disk: string;
  talosVersion: string;
  installImage: string;
  minipcIp: string;
  /** Path of the machine config, from the checkout's top. */
  machineConfig: string;
  /** Path of the client config; unset for a mini-PC that joins, whose cluster has one. */
  talosConfig?: string;
  /** The stack's config, by key without the namespace. */
  config: Record<string, string>;
}

/** A stack that another one may join: what it says of its cluster. */
export interface Cluster {
  stack: string;
  name: string;
  endpoint: string;
  /** The address that its control planes share, where its endpoint is one. */
  vip?: string;
}

const ROLES = ["controlplane", "worker"] as const;
type Role = (typeof ROLES)[number];

/** The option that sets a key of a stack's config. */
const OPTION: Record<string, keyof Answers> = {
  minipcMac: "mac",
  minipcIp: "ip",
  dhcpRange: "appliance",
  applianceCidr: "appliance",
  talosVersion: "talosVersion",
  talosSchematic: "schematic",
  bootstrapVersion: "bootstrapVersion",
};

const spelled = (option: string) => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** One thing that is wrong with an answer. */
export interface AnswerFault {
  answer: keyof Answers | "stack" | "ageKey";
  text: string;
}

const DISK = /^\/dev\/[A-Za-z0-9][A-Za-z0-9/_.:+-]*$/;

/** A cluster's endpoint as Talos wants it; undefined when it names no host. */
function asEndpoint(given: string): string | undefined {
  let url;
  try {
    url = new URL(/^[a-z]+:\/\//i.test(given) ? given : `https://${given}`);
  } catch {
    return undefined;
  }
  const { protocol, hostname, pathname, username, search } = url;
  const isHost = ipaddr.isValid(hostname.replace(/^\[|\]$/g, "")) || isFQDN(hostname, { require_tld: false });
  if (protocol !== "https:" || !isHost || pathname !== "/" || username || search) return undefined;
  return `https://${hostname}:${/:443$/.test(given) ? 443 : url.port || 6443}`;
}

/** The first lease of a stack's link that no other stack has. */
function freeLease(others: StackFile[], applianceCidr: string): string | undefined {
  try {
    const { applianceCidr: subnet } = checkConfig(
      { bootstrapVersion: "1", minipcMac: "02:00:00:00:00:01", applianceCidr },
      "new",
      [],
      {},
    );
    const taken = new Set(others.filter(({ machine }) => machine.mac).map(({ machine }) => machine.lease));
    for (const lease of leasesFor(subnet)) if (!taken.has(lease)) return lease;
  } catch {
    // What is wrong with the subnet is reported as its own fault.
  }
  return undefined;
}

const usualLease = (applianceCidr: string) => machineOf({ applianceCidr }).lease;

/** What is wrong with an endpoint for this machine; undefined when nothing is. */
function endpointFault(
  endpoint: string,
  role: Role,
  { link, own, lease, vip }: { link: string; own: string; lease?: string; vip?: string },
): string | undefined {
  const { hostname } = new URL(endpoint);
  if (hostname === own) return `${hostname} is the appliance, which goes away`;
  if (hostname === lease)
    return role === "worker"
      ? `${hostname} is the worker's own lease; only a control plane answers`
      : undefined;
  if (hostname === vip) return undefined;
  const isOnLink =
    ipaddr.IPv4.isValid(hostname) && ipaddr.IPv4.parse(hostname).match(ipaddr.IPv4.parseCIDR(link));
  return isOnLink && role === "controlplane"
    ? `${hostname} is on the isolated link, where nobody has it; the mini-PC has ${lease}, and --vip gives it another address`
    : undefined;
}

/** What is wrong with the address that control planes share; undefined when nothing is. */
function vipFault(vip: string, lease: string | undefined): string | undefined {
  if (!isIpv4(vip)) return `${vip} is no IPv4 address`;
  if (vip === lease) return `${vip} is the mini-PC's own lease`;
  return noHostFault(ipaddr.IPv4.parse(vip), vip);
}

/**
 * What is to be made, or every fault of the answers at once.
 *
 * @param others every other stack that has a file in the checkout
 * @param cluster the one that it joins, read from that stack's machine config
 * @param today the date, YYYY-MM-DD
 */
export function plan(
  stack: string,
  answers: Answers,
  others: StackFile[],
  cluster: Cluster | undefined,
  today: string,
): { plan?: Plan; faults: AnswerFault[]; suggestedLease?: string } {
  const faults: AnswerFault[] = [];
  const wrong = (answer: AnswerFault["answer"], text: string) => void faults.push({ answer, text });
  const { mac = "", disk = "", join } = answers;
  const role = (answers.role ?? "controlplane") as Role;
  if (!ROLES.includes(role)) wrong("role", `${role} is neither ${ROLES.join(" nor ")}`);
  else if (role === "worker" && !join)
    wrong(
      "role",
      "a worker needs the secrets of its cluster: name the stack of its control plane with --join",
    );

  const applianceCidr = answers.appliance || declaredDefaults().applianceCidr || "";
  const suggestedLease = freeLease(others, applianceCidr);
  const minipcIp = answers.ip || suggestedLease;
  const machineConfig = `config/${stack}.${role}.yaml`;
  const config: Record<string, string> = {
    talosVersion: answers.talosVersion || declaredDefaults().talosVersion || "",
    ...(answers.schematic && { talosSchematic: answers.schematic.toLowerCase() }),
    bootstrapVersion: answers.bootstrapVersion || today,
    minipcMac: mac,
    // Unset, it follows the link.
    ...(minipcIp && minipcIp !== usualLease(applianceCidr) && { minipcIp }),
    ...(answers.appliance && { applianceCidr }),
    machineConfig,
    ...(join && role === "controlplane" && { joins: "true" }),
    artifactName: stack,
  };
  let talosSchematic: string | undefined;
  try {
    ({ talosSchematic } = checkConfig(config, stack, [], {}));
  } catch (fault) {
    for (const { key, value, wrong: what, right } of (fault as ConfigError).faults) {
      if (key === "artifactName") {
        wrong(
          "stack",
          `${stack} is not a stack's name: that has 1 to 64 letters, digits, dots, dashes, underscores`,
        );
        continue;
      }
      const answer = OPTION[key];
      if (answer === undefined) throw fault;
      wrong(answer, value ? `${value}: ${what}. Right: ${right}` : `it is missing. Right: ${right}`);
    }
  }
  const { link = "" } = machineOf(config);

  if (!disk)
    wrong("disk", "it is missing. Right: the mini-PC's disk as Linux names it, such as /dev/nvme0n1");
  else if (!DISK.test(disk)) wrong("disk", `${disk} is not a disk as Linux names it. Right: /dev/nvme0n1`);

  const vip = join ? cluster?.vip : answers.vip;
  const vipWrong = vip && vipFault(vip, minipcIp);
  if (vipWrong) wrong("vip", vipWrong);
  const reached = answers.endpoint || answers.vip;
  let endpoint: string | undefined;
  if (join) {
    for (const given of ["endpoint", "vip", "cluster"] as const)
      if (answers[given]) wrong(given, `it comes from the cluster of ${join}: leave it out`);
    endpoint = cluster?.endpoint;
  } else if (!reached) {
    wrong("endpoint", "it is missing. Right: a name or an address that lasts, see docs/lasting-network.md");
  } else {
    endpoint = asEndpoint(reached);
    const own = applianceCidr.split("/")[0] ?? "";
    const found = endpoint
      ? link && endpointFault(endpoint, role, { link, own, lease: minipcIp, vip })
      : `${reached} is not a host. Right: talos.example, 192.168.1.50 or https://192.168.1.50:6443`;
    if (found) wrong("endpoint", found);
  }
  if (faults.length > 0 || !endpoint || !minipcIp) return { faults, suggestedLease };
  const { talosVersion = "" } = config;
  return {
    faults,
    suggestedLease,
    plan: {
      stack,
      role,
      join,
      cluster: cluster?.name ?? answers.cluster ?? stack,
      endpoint,
      vip: role === "controlplane" ? vip : undefined,
      disk,
      talosVersion,
      installImage: talosSchematic
        ? factoryInstaller(talosSchematic, talosVersion)
        : `ghcr.io/siderolabs/installer:${talosVersion}`,
      minipcIp,
      machineConfig,
      talosConfig: join ? undefined : `config/${stack}.talosconfig`,
      config,
    },
  };
}

/** Every fault of the command line in one error. */
export function refusalOf(stack: string, faults: AnswerFault[]): StepError {
  const lines = faults.map(
    ({ answer, text }) => `  ${answer === "stack" ? "STACK" : spelled(answer)}: ${text}`,
  );
  return new StepError(
    `making the stack ${stack}`,
    `the command line has ${faults.length === 1 ? "a fault" : `${faults.length} faults`}`,
    `Nothing was made:\n${lines.join("\n")}\nnpm run new -- --help explains each`,
  );
}

/** What is asked for on a terminal, in this order. */
export const QUESTIONS: { answer: keyof Answers; text: string; only?: (answers: Answers) => boolean }[] = [
  { answer: "mac", text: "MAC of the mini-PC's NIC, as its label or firmware shows it" },
  { answer: "disk", text: "Disk that Talos is installed on, and that it overwrites, such as /dev/nvme0n1" },
  {
    answer: "endpoint",
    text: "Where the cluster is reached for good, a name or an address (docs/lasting-network.md)",
    only: ({ join, vip }) => !join && !vip,
  },
  { answer: "talosVersion", text: "Talos release" },
  {
    answer: "schematic",
    text: "Schematic of the Image Factory with the extensions that it needs, 64 hex digits; none if empty",
  },
  { answer: "ip", text: "Its address on the isolated link" },
];

/** How a stack's file names a file: one of the checkout by its path in it, which is right wherever the checkout goes. */
export function pathIn(top: string, file: string): string {
  const within = relative(top, file);
  return within.startsWith("../") || isAbsolute(within) ? file : within;
}
