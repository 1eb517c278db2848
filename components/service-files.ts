import { readFileSync } from "node:fs";
import { join } from "node:path";
import Mustache from "mustache";
import type { StackConfig } from "../config";
import { machineConfigArgument, talosKernelArguments } from "./talos-kernel";
import { TOP } from "./top";

/** Templates in files/, by name; each is rendered into the site layer. */
export const TEMPLATES = [
  "boot.ipxe",
  "chrony.conf",
  "dnsmasq.conf",
  "netplan.yaml",
  "nftables.conf",
  "nginx-bootstrap.conf",
  "site.env",
] as const;

export type RenderedFiles = Record<(typeof TEMPLATES)[number], string>;

// A unique local prefix (RFC 4193) that only ends iPXE's wait for an IPv6 router; nothing is routed by it.
const ULA_PREFIX = "fd10:10:10::";

/** What a template may name. */
export function templateView(config: StackConfig) {
  const { applianceCidr: link } = config;
  const arguments_ = talosKernelArguments(config.talosVersion, config.consoles);
  return {
    applianceCidr: link.cidr,
    applianceIp: link.address,
    netmask: link.netmask,
    network: `${link.network}/${link.prefix}`,
    minipcMac: config.minipcMac,
    minipcIp: config.minipcIp,
    rangeFirst: config.dhcpRange.first,
    rangeLast: config.dhcpRange.last,
    uplink: config.uplink,
    upstreamDns: config.upstreamDns ?? [],
    talosVersion: config.talosVersion,
    bootstrapVersion: config.bootstrapVersion,
    ulaNetwork: ULA_PREFIX,
    ulaAddress: `${ULA_PREFIX}2`,
    // UEFI iPXE hands the initramfs over by name.
    kernelArguments: ["initrd=initramfs.xz", ...arguments_, machineConfigArgument(link.address)].join(" "),
  };
}

type Tokens = ReturnType<typeof Mustache.parse>;

function namesIn(tokens: Tokens): string[] {
  return tokens.flatMap(([type, name, , , inner]) => [
    ...(["name", "&", "{", "#", "^"].includes(type) ? [name] : []),
    ...(Array.isArray(inner) ? namesIn(inner) : []),
  ]);
}

/**
 * Renders one template. Mustache writes nothing for a name it does not know; here that is an error.
 *
 * @throws Error naming the template and the unknown name
 */
export function render(name: string, template: string, view: Record<string, unknown>): string {
  for (const used of namesIn(Mustache.parse(template))) {
    const head = used.split(".")[0] ?? "";
    if (head !== "" && !(head in view)) {
      throw new Error(
        `files/${name} names {{${used}}}, which is not known; known are ${Object.keys(view).sort().join(", ")}`,
      );
    }
  }
  return Mustache.render(template, view, undefined, { escape: String });
}

/** Renders every template of files/ for one stack. */
export function renderServiceFiles(config: StackConfig): RenderedFiles {
  const view = templateView(config);
  const rendered = TEMPLATES.map((name) => {
    const template = readFileSync(join(TOP, "files", name), "utf8");
    return [name, render(name, template, view)] as const;
  });
  return Object.fromEntries(rendered) as RenderedFiles;
}
