import { createHash } from "node:crypto";
import ipaddr from "ipaddr.js";
import { parseAllDocuments, parseDocument } from "yaml";
import * as z from "zod";

const optionalText = z.string().optional().catch(undefined);

/** The parts of a Talos machine config (v1alpha1) that have to fit the appliance. */
const V1Alpha1 = z.object({
  machine: z.object({
    type: optionalText,
    ca: z.object({ crt: optionalText }).optional(),
    install: z.object({ image: optionalText }).optional(),
    network: z
      .object({
        interfaces: z
          .array(
            z.object({
              addresses: z.array(z.string()).optional(),
              deviceSelector: z.object({ hardwareAddr: optionalText }).optional(),
              vip: z.object({ ip: optionalText }).optional(),
            }),
          )
          .optional(),
      })
      .optional(),
  }),
  cluster: z.object({ controlPlane: z.object({ endpoint: optionalText }).optional() }).optional(),
});

export interface Surroundings {
  talosVersion: string;
  minipcIp: string;
  minipcMac: string;
  applianceCidr: string;
  /** Whether the mini-PC joins a cluster that another control plane starts. */
  joins: boolean;
  /** Leases that the stack had when it was checked before. */
  leases?: string[];
}

export interface ConfigFacts {
  machineType: string;
  endpoint: string;
  installImage: string;
  /** Names the cluster: the same for each of its machines, and no secret. */
  cluster: string;
}

/** The lease that this project's documents and defaults use. */
const USUAL_LEASE = "10.10.10.100";

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** The host of a cluster's endpoint; empty when it is no URL. */
export function hostOf(endpoint: string): string {
  try {
    return new URL(endpoint).hostname;
  } catch {
    return "";
  }
}

/** What is wrong with the address under which the cluster is reached, and what is only odd. */
function judgeEndpoint(
  { machineType, endpoint }: ConfigFacts,
  vips: (string | undefined)[],
  { applianceCidr, minipcIp, joins, leases = [] }: Surroundings,
): { faults: string[]; warnings: string[] } {
  const fault = (text: string) => ({ faults: [text], warnings: [] });
  const warning = (text: string) => ({ faults: [], warnings: [text] });
  const said = `cluster.controlPlane.endpoint ${endpoint}`;
  const [link, prefix] = ipaddr.IPv4.parseCIDR(applianceCidr);
  const host = hostOf(endpoint);
  const isWorker = machineType === "worker";
  if (host === "") return fault("cluster.controlPlane.endpoint is missing or no URL");
  if (host === link.toString())
    return fault(`${said} is the appliance, which goes away; the mini-PC is ${minipcIp}`);
  if (host === minipcIp) {
    if (isWorker)
      return fault(
        `${said} is this worker's own lease, but only a control plane answers there: set its address`,
      );
    return joins
      ? warning(`${said} is the mini-PC's own lease, but joins is true: it would find only itself there`)
      : { faults: [], warnings: [] };
  }
  if (!ipaddr.IPv4.isValid(host) || isWorker || vips.includes(host)) return { faults: [], warnings: [] };
  if (ipaddr.IPv4.parse(host).match(link, prefix)) {
    if (joins) return { faults: [], warnings: [] };
    return fault(
      `${said} is on the isolated link but neither minipcIp ${minipcIp} nor a vip of the config ` +
        "(where another control plane has it, set joins to true)",
    );
  }
  // Off the link is where a cluster lives for good, so only what was a lease is suspect.
  return [...leases, USUAL_LEASE].includes(host)
    ? warning(
        `${said} looks like an earlier lease: the mini-PC has ${minipcIp} on ${applianceCidr} and is not reached there. ` +
          "It is right only if the mini-PC moves to a network where it has that address",
      )
    : { faults: [], warnings: [] };
}

/**
 * What a machine config says that matters here, every way in which it does not fit the appliance, and what is legal but looks
 * like an oversight. Whether it is a sound machine config is for Talos to say.
 */
export function readMachineConfig(
  text: string,
  around: Surroundings,
): { facts: ConfigFacts; faults: string[]; warnings: string[] } {
  const parsed = parseAllDocuments(text)
    .map((document) => V1Alpha1.safeParse(document.toJS()))
    .find((result) => result.success)?.data;
  const facts = {
    machineType: parsed?.machine.type ?? "",
    endpoint: parsed?.cluster?.controlPlane?.endpoint ?? "",
    installImage: parsed?.machine.install?.image ?? "",
    cluster: digest(parsed?.machine.ca?.crt ?? ""),
  };
  if (!parsed) return { facts, faults: ["it has no machine section"], warnings: [] };
  const faults: string[] = [];
  if (!["controlplane", "worker", "init"].includes(facts.machineType)) {
    faults.push(`machine.type is ${JSON.stringify(facts.machineType)}, not controlplane or worker`);
  }
  const [link, prefix] = ipaddr.IPv4.parseCIDR(around.applianceCidr);
  const interfaces = parsed.machine.network?.interfaces ?? [];
  const vips = interfaces.map(({ vip }) => vip?.ip);
  const endpoint = judgeEndpoint(facts, vips, around);
  faults.push(...endpoint.faults);
  const tag = /:([^:/@]+)(@.*)?$/.exec(facts.installImage)?.[1];
  if (tag !== around.talosVersion) {
    faults.push(
      `machine.install.image ${JSON.stringify(facts.installImage)} is not of talosVersion ${around.talosVersion}`,
    );
  }
  const addresses = interfaces
    .flatMap(({ addresses: own }) => own ?? [])
    .map((address) => address.split("/")[0]);
  const onLink = addresses.filter(
    (address) => address && ipaddr.IPv4.isValid(address) && ipaddr.IPv4.parse(address).match(link, prefix),
  );
  if (onLink.length > 0 && !onLink.includes(around.minipcIp)) {
    faults.push(
      `machine.network gives it ${onLink.join(", ")} on the isolated link, but minipcIp is ${around.minipcIp}`,
    );
  }
  const macs = interfaces
    .flatMap(({ deviceSelector }) => deviceSelector?.hardwareAddr ?? [])
    .map((mac) => mac.toLowerCase());
  if (macs.length > 0 && !macs.some((mac) => mac.includes("*") || mac === around.minipcMac)) {
    faults.push(`machine.network selects the NIC ${macs.join(", ")}, but minipcMac is ${around.minipcMac}`);
  }
  return { facts, faults, warnings: endpoint.warnings };
}

function keysIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysIn);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysIn(inner)]);
}

/**
 * What talosctl says of a config that it refuses, on one line. It quotes the YAML under a key that it does not know,
 * which may be secret: of that only the keys are kept.
 */
export function refusal(said: string): string {
  const [sentence = "", quoted] = said.trim().split(/(?<=unknown keys found during decoding:)\s/);
  const keys = quoted ? keysIn(parseDocument(quoted).toJS()) : [];
  return [sentence.split(/\s*\n\s*/).join(" "), keys.join(", ")].join(" ").trim();
}
