import ipaddr from "ipaddr.js";
import { parseAllDocuments, parseDocument } from "yaml";
import * as z from "zod";

const optionalText = z.string().optional().catch(undefined);

/** The parts of a Talos machine config (v1alpha1) that have to fit the appliance. */
const V1Alpha1 = z.object({
  machine: z.object({
    type: optionalText,
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
}

export interface ConfigFacts {
  machineType: string;
  endpoint: string;
  installImage: string;
}

function hostOf(endpoint: string): string {
  try {
    return new URL(endpoint).hostname;
  } catch {
    return "";
  }
}

/**
 * What a machine config says that matters here, and every way in which it does not fit the appliance.
 * Whether it is a sound machine config is for Talos to say.
 */
export function readMachineConfig(
  text: string,
  around: Surroundings,
): { facts: ConfigFacts; faults: string[] } {
  const parsed = parseAllDocuments(text)
    .map((document) => V1Alpha1.safeParse(document.toJS()))
    .find((result) => result.success)?.data;
  const facts = {
    machineType: parsed?.machine.type ?? "",
    endpoint: parsed?.cluster?.controlPlane?.endpoint ?? "",
    installImage: parsed?.machine.install?.image ?? "",
  };
  const faults: string[] = [];
  if (!parsed) return { facts, faults: ["it has no machine section"] };
  if (!["controlplane", "worker", "init"].includes(facts.machineType)) {
    faults.push(`machine.type is ${JSON.stringify(facts.machineType)}, not controlplane or worker`);
  }
  const [link, prefix] = ipaddr.IPv4.parseCIDR(around.applianceCidr);
  const interfaces = parsed.machine.network?.interfaces ?? [];
  const host = hostOf(facts.endpoint);
  const vips = interfaces.map(({ vip }) => vip?.ip);
  if (host === "") faults.push("cluster.controlPlane.endpoint is missing or no URL");
  if (host === link.toString()) {
    faults.push(
      `cluster.controlPlane.endpoint ${facts.endpoint} is the appliance, which goes away; the mini-PC is ${around.minipcIp}`,
    );
  } else if (
    facts.machineType !== "worker" &&
    ipaddr.IPv4.isValid(host) &&
    ipaddr.IPv4.parse(host).match(link, prefix)
  ) {
    if (host !== around.minipcIp && !vips.includes(host)) {
      faults.push(
        `cluster.controlPlane.endpoint ${facts.endpoint} is on the isolated link but neither minipcIp ${around.minipcIp} nor a vip of the config`,
      );
    }
  }
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
  return { facts, faults };
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
