import { readFileSync } from "node:fs";
import { join } from "node:path";
import Mustache from "mustache";
import type { StackConfig } from "./config/keys";
import { fixedUplinkOf } from "./fixed-uplink";
import { SERIAL_ASSET_TAG } from "./kernel-line";
import { networksBut } from "./networks";
import { APID_PORT, KUBERNETES_PORT } from "./ports";
import { ipxeKernelArguments, kernelLine, SERIAL_CONSOLE, type KernelLine } from "./talos-kernel";
import { TOP } from "./top";

/** Templates in files/, by name, for which the config is enough; each is rendered into the site layer, as boot.ipxe is. */
export const TEMPLATES = [
  "autoexec.ipxe",
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

/** Seconds that iPXE waits before it tries again, between firmware and boot.ipxe as in boot.ipxe itself. */
const RETRY_PAUSE_S = 5;
/**
 * Tries from the firmware to boot.ipxe. Each asks by DHCP for a quarter of a minute, so that a port that blocks for a minute
 * is outlasted. The commands have to fit into 576 bytes of a DHCP answer with all the rest (RFC 2131, section 2).
 */
const HANDOVER_TRIES = 6;

/**
 * What iPXE runs when a firmware has loaded it: one line, since it is a DHCP option. `autoboot` asks by DHCP and runs what
 * is named there (boot.ipxe); it comes back only when that failed.
 */
export const handoverCommands = (tries: number, pauseS: number): string =>
  `${`autoboot || sleep ${pauseS} && `.repeat(tries - 1)}autoboot || reboot`;

/** Client architectures (IANA, Processor Architecture Types) that no file here is for: UEFI of 32 bits and on Arm, BIOS by HTTP. */
const OTHER_ARCHITECTURES = [6, 8, 10, 11, 15, 18, 19, 20];

/** What a template may name. */
function templateView(config: StackConfig) {
  const { applianceCidr: link, upstreamDns: resolvers = [] } = config;
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
    fixedUplink: fixedUplinkOf(config),
    offline: config.offline ?? false,
    upstreamDns: resolvers.join(" "),
    // In quotes: in a list of YAML, an IPv6 address that begins with a colon is read as something else.
    quotedResolvers: resolvers.map((resolver) => `"${resolver}"`).join(", "),
    linkButLease: networksBut(link.prefix, config.minipcIp),
    talosVersion: config.talosVersion,
    operatorNetworks: config.operatorNetwork.join(", "),
    wayInPorts: `${APID_PORT}, ${KUBERNETES_PORT}`,
    bootstrapVersion: config.bootstrapVersion,
    retryPauseS: RETRY_PAUSE_S,
    handoverCommands: handoverCommands(HANDOVER_TRIES, RETRY_PAUSE_S),
    // Firmware that loads by HTTP has no lease that iPXE could read; autoexec.ipxe is for that.
    firmwareTags: ["bios", "efi64"],
    otherArchitectures: OTHER_ARCHITECTURES,
    ulaNetwork: ULA_PREFIX,
    ulaAddress: `${ULA_PREFIX}2`,
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

function renderFile(name: string, view: Record<string, unknown>): string {
  return render(name, readFileSync(join(TOP, "files", name), "utf8"), view);
}

/** Renders the files of one stack's services. */
export function renderServiceFiles(config: StackConfig): RenderedFiles {
  const view = templateView(config);
  return Object.fromEntries(TEMPLATES.map((name) => [name, renderFile(name, view)])) as RenderedFiles;
}

/**
 * The kernel line of a stack's mini-PC.
 *
 * @param iso the arguments that the stack's ISO boots with
 */
export const kernelLineOf = (
  { applianceCidr, consoles, kernelArgs }: Pick<StackConfig, "applianceCidr" | "consoles" | "kernelArgs">,
  iso: string[],
): KernelLine => kernelLine(iso, { consoles, kernelArgs, applianceIp: applianceCidr.address });

/**
 * Renders boot.ipxe for one stack.
 *
 * @throws Error when iPXE or the kernel would not read the kernel line as it is
 */
export function renderBootScript(config: StackConfig, line: KernelLine): string {
  const view = {
    ...templateView(config),
    kernelArguments: ipxeKernelArguments(line),
    serialAssetTag: SERIAL_ASSET_TAG,
    serialConsole: SERIAL_CONSOLE,
  };
  return renderFile("boot.ipxe", view);
}
