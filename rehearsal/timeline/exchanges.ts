import type { Expected } from "../view";
import type { DhcpMessage } from "../network/dhcp";
import { STRANGERS } from "../proofs";
import type { Exchange, Party } from "../record";
import type { LinkWhat, Seen } from "../network/seen";
import { sizeWords } from "./words";

const WHO_ASKS = { firmware: "firmware", ipxe: "iPXE", system: "operating system" } as const;

function dhcpWords({ type, stage, address, file }: DhcpMessage): string {
  if (stage) return `DHCP ${type}: ${WHO_ASKS[stage]}`;
  return `DHCP ${type}: ${[address, file].filter(Boolean).join(", ")}`;
}

type Words = { byClient: boolean; what: string } | undefined;

/** What was said, and by which of the two; undefined for what would only fill the picture. */
function words(what: LinkWhat): Words {
  switch (what.kind) {
    case "address":
      return { byClient: true, what: `ARP: ${what.ip} is here` };
    case "dhcp":
      return { byClient: true, what: dhcpWords(what.message) };
    case "tftp":
      if (what.state === "asked") return { byClient: true, what: `TFTP: ${what.file}?` };
      if (what.state === "sent")
        return { byClient: false, what: `TFTP: ${what.file}, ${sizeWords(what.bytes)}` };
      return what.state === "refused" ? { byClient: false, what: `TFTP refuses: ${what.words}` } : undefined;
    case "http":
      if (what.state === "asked") return { byClient: true, what: `HTTP: GET ${what.path}` };
      return what.state === "sent"
        ? { byClient: false, what: `HTTP: ${what.status}, ${sizeWords(what.bytes)}` }
        : undefined;
    case "time":
      return what.state === "asked"
        ? { byClient: true, what: "NTP: what time is it?" }
        : { byClient: false, what: `NTP: the time, stratum ${what.stratum}` };
    case "registry":
      // Of an image its manifest alone: it may have dozens of parts.
      return what.state === "sent" && what.bytes > 0 && what.path.includes("/manifests/")
        ? { byClient: false, what: `image: ${what.status}, ${what.path.replace(/^\/v2\/|\?.*/g, "")}` }
        : undefined;
    // Asked again and again, by a host that is in no picture.
    case "operator":
      return undefined;
    case "connect":
      return what.state === "refused"
        ? { byClient: false, what: `TCP: port ${what.port} refused` }
        : undefined;
  }
}

/** What went over the links, for people: one entry a thing said. */
export function exchangesIn(seen: readonly Seen[], expected: Expected & { uplinkNic: string }): Exchange[] {
  const parties = new Map<string, Party>([
    [expected.minipcMac, "minipc"],
    [expected.isolatedNic, "appliance"],
    [expected.uplinkNic, "appliance"],
    ...STRANGERS.map((mac): [string, Party] => [mac, "stranger"]),
  ]);
  const met = new Set<string>();
  return seen.flatMap((what) => {
    if (!("link" in what)) return [];
    const said = words(what);
    const speaker = parties.get(what.mac);
    if (!said || !speaker) return [];
    if (what.kind === "address") {
      // The same is said again and again.
      const claim = `${what.ip} ${what.mac}`;
      if (met.has(claim) || speaker !== "appliance") return [];
      met.add(claim);
    }
    const { atMs, link } = what;
    if (what.kind === "dhcp" && what.message.stage && link === "isolated" && speaker === "appliance") {
      // It looks for another server there all the time.
      if (met.has(what.mac)) return [];
      met.add(what.mac);
    }
    if (!said.byClient) return [{ atMs, link, from: "appliance" as const, to: speaker, what: said.what }];
    const isBroadcast = what.kind === "address" || (what.kind === "dhcp" && what.message.stage !== undefined);
    const asked = what.kind === "dhcp" && !isBroadcast ? parties.get(what.message.client) : "appliance";
    return [{ atMs, link, from: speaker, to: isBroadcast ? undefined : asked, what: said.what }];
  });
}
