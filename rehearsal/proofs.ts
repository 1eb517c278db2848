import { readDhcp } from "./network/dhcp";
import { HOME, UPLINK_LEASE, UPLINK_NEIGHBOUR } from "./network/gateway";
import { addressIn, outsideOf } from "./operators";
import type { FixedUplink } from "../stack/fixed-uplink";
import { REGISTRY_PORT } from "../stack/ports";
import type { Link } from "./network/link";
import { arpRequest, decode, RST, SYN, ACK, type Packet } from "./network/packets";
import type { LinkName, Proof } from "./record";
import { askAgain, Station, until, type Patience } from "./network/station";
import type { ServedImage } from "../steps/contracts/image";

/** The links of a running appliance, and who is on them. */
export interface Site extends Patience {
  isolated: Link;
  /** Unset when the appliance has one NIC. */
  uplink?: Link;
  isolatedNic: string;
  uplinkNic: string;
  /** The appliance's address on the uplink. */
  uplinkAddress: string;
  /** The address of the router there. */
  uplinkGateway: string;
  /** An address that another host has there, no operator's where the uplink has such. */
  uplinkNeighbour: string;
  applianceIp: string;
  applianceCidr: string;
  minipcMac: string;
  minipcIp: string;
  /** Files that hold secrets, by their path on the web server. */
  secretPaths: string[];
  /** Networks whose hosts reach the lease by the uplink, each as NETWORK/LENGTH; unset for a stack without. */
  operatorNetworks?: string[];
  /** What an offline stack's appliance has of images; unset for others. */
  images?: readonly Pick<ServedImage, "reference">[];
}

/** MACs of the rehearsal's own hosts: locally administered (IEEE 802), so that no NIC has them. */
export const STRANGERS = [
  "02:00:5e:00:53:01",
  "02:00:5e:00:53:02",
  "02:00:5e:00:53:03",
  "02:00:5e:00:53:04",
] as const;
const [NEIGHBOUR, THIEF, OUTSIDER] = STRANGERS;
/** Outside, an address for documentation (RFC 5737). */
const FAR_AWAY = "198.51.100.7";
const PUBLIC_FILE = "/boot.ipxe";
const ANSWER_MS = 5000;

/** An address of the subnet that neither the appliance nor the mini-PC has; a subnet of two has none. */
export const strangersAddress = ({
  applianceCidr,
  applianceIp,
  minipcIp,
}: Pick<Site, "applianceCidr" | "applianceIp" | "minipcIp">): string | undefined =>
  addressIn(applianceCidr, [applianceIp, minipcIp]);

/** Who has which address on the uplink: the rehearsal's own gateway leases one, unless the stack has a fixed one there. */
export function uplinkAddresses({
  fixedUplink: fixed,
  operatorNetworks = [],
}: {
  fixedUplink?: FixedUplink;
  operatorNetworks?: string[];
}): Pick<Site, "uplinkAddress" | "uplinkGateway" | "uplinkNeighbour"> {
  const uplinkAddress = fixed ? (fixed.cidr.split("/")[0] as string) : UPLINK_LEASE;
  const uplinkGateway = fixed?.gateway ?? HOME.server;
  const neighbour = fixed && addressIn(fixed.cidr, [uplinkAddress, uplinkGateway]);
  // One of another network is answered by way of the gateway.
  const others = [UPLINK_NEIGHBOUR, "198.51.100.77"];
  const [uplinkNeighbour = neighbour ?? UPLINK_NEIGHBOUR] = outsideOf(
    operatorNetworks,
    neighbour ? [neighbour, ...others] : others,
  );
  return { uplinkAddress, uplinkGateway, uplinkNeighbour };
}

// A question for the name `node` (RFC 1035), one for the time (RFC 5905, mode 3), one for a file (RFC 1350).
const DNS_QUESTION = Buffer.from("beef01000001000000000000046e6f64650000010001", "hex");
const TIME_QUESTION = Buffer.concat([Buffer.from([0x23]), Buffer.alloc(47)]);
const fileQuestion = (file: string) => Buffer.from(`\0\x01${file}\0octet\0`, "latin1");

const SERVICES = ["HTTP", "DNS", "time", "TFTP", "images"] as const;
/** How many services a lease is answered by: an offline stack's has images, too. */
export const servicesOf = ({ images }: Pick<Site, "images">): number => (images ? 5 : 4);

/** Asks every service once. @returns the names of those that answered, as asked later */
function askServices(station: Station, to: string, { images }: Pick<Site, "images">): () => string[] {
  const ports = {
    HTTP: station.syn(to, 80),
    DNS: station.udp(to, 53, DNS_QUESTION),
    time: station.udp(to, 123, TIME_QUESTION),
    TFTP: station.udp(to, 69, fileQuestion("snponly.efi")),
    ...(images && { images: station.syn(to, REGISTRY_PORT) }),
  };
  const answered = (port: number) =>
    station.heard.some(
      ({ udp, tcp }) => udp?.to === port || (tcp?.to === port && (tcp.flags & (RST | SYN | ACK)) !== 0),
    );
  return () => Object.entries(ports).flatMap(([name, port]) => (answered(port) ? [name] : []));
}

/** The lease itself is answered by every service: silence elsewhere means something only then. */
export async function leaseIsAnswered(
  site: Patience &
    Pick<Site, "minipcMac" | "minipcIp" | "isolatedNic" | "applianceIp" | "images"> & {
      isolated: Pick<Link, "send" | "onFrame">;
    },
): Promise<string[]> {
  const minipc = new Station(site, site.isolated, site.minipcMac, site.minipcIp, site.isolatedNic);
  const asked: (() => string[])[] = [];
  const answered = () => SERVICES.filter((name) => asked.some((answers) => answers().includes(name)));
  const ask = () => void asked.push(askServices(minipc, site.applianceIp, site));
  await askAgain(site, ask, () => answered().length === servicesOf(site));
  return answered();
}

const list = (names: string[]) => [...new Set(names)].join(", ") || "nothing";

const NOT_UP = {
  held: false,
  evidence: "the appliance does not answer by ARP for its address on the uplink",
  look: "Look at the uplink in files/netplan.yaml, and at udp sport 67 in files/nftables.conf",
};
/** Where to look when not even the lease is answered, so that silence elsewhere proves nothing. */
const NOBODY_IS_ANSWERED =
  "The lease is not answered either: read appliance.serial.log for a service that ended";

/** Addresses that the appliance offers: to the lease, to others on its link, to anybody on the uplink. */
export type Offers = Record<"lease" | LinkName, string[]>;

/** Hears what is offered from now on. */
export function hearOffers(site: Site): Offers {
  const offers: Offers = { lease: [], isolated: [], uplink: [] };
  const hear = (link: Link, from: string) =>
    link.onFrame((frame) => {
      const { source, udp } = decode(frame);
      const answer = udp?.from === 67 && source === from ? readDhcp(udp.payload) : undefined;
      if (!answer?.address || answer.type === "nak") return;
      const isLease = link === site.isolated && answer.client === site.minipcMac;
      offers[isLease ? "lease" : link.name].push(answer.address);
    });
  hear(site.isolated, site.isolatedNic);
  if (site.uplink) hear(site.uplink, site.uplinkNic);
  return offers;
}

/** Asks for addresses as other hosts on both links do. */
export function askForAddresses(site: Site): void {
  new Station(site, site.isolated, NEIGHBOUR, "0.0.0.0").discover();
  if (site.uplink) new Station(site, site.uplink, OUTSIDER, "0.0.0.0").discover();
}

/** @param control what the lease was offered meanwhile */
function nobodyElseIsOffered(offers: Offers, control: string[], uplinkIsUp: boolean | undefined): Proof[] {
  const isSilent = (link: LinkName) => offers[link].length === 0;
  const held = (link: LinkName) => control.length > 0 && isSilent(link);
  const look = (link: LinkName) => (isSilent(link) && !held(link) ? NOBODY_IS_ANSWERED : undefined);
  const byLease = `the lease was offered ${list(control)}`;
  const proof: Proof = {
    id: "other-mac",
    title: "another MAC is offered no address",
    held: held("isolated"),
    evidence: `${NEIGHBOUR} asked on the isolated link and was offered ${list(offers.isolated)}; ${byLease}`,
    look: look("isolated"),
  };
  if (uplinkIsUp === undefined) return [proof];
  const outside: Proof = {
    id: "uplink-dhcp",
    title: "nobody is offered an address on the uplink",
    held: held("uplink"),
    evidence: `${OUTSIDER} asked on the uplink; the appliance offered ${list(offers.uplink)}; ${byLease}`,
    look: look("uplink"),
    ...(uplinkIsUp ? {} : NOT_UP),
  };
  return [proof, outside];
}

/** Hears from now on whether the appliance says by ARP that its isolated address is on the uplink. */
function claimsOn(uplink: Link, { applianceIp, uplinkNic }: Site): string[] {
  const claims: string[] = [];
  uplink.onFrame((frame) => {
    const { source, arp } = decode(frame);
    if (source === uplinkNic && arp?.ip === applianceIp) claims.push(`ARP for ${applianceIp}`);
  });
  return claims;
}

/** What must be silent on the uplink is; one that never got an address there proves nothing by its silence. */
export async function uplinkIsSilent(site: Site, uplink: Link): Promise<Proof> {
  const named = { id: "uplink-silent", title: "no service answers on the uplink" };
  const outsider = new Station(site, uplink, OUTSIDER, site.uplinkNeighbour);
  if (!(await outsider.meet(site.uplinkAddress))) return { ...named, ...NOT_UP };
  const claims = claimsOn(uplink, site);
  uplink.send(arpRequest(OUTSIDER, site.uplinkNeighbour, site.applianceIp));
  const asked = [site.applianceIp, site.uplinkAddress].map((to) => askServices(outsider, to, site));
  // The two links are two queues: what is answered on one says nothing of what still waits in the other.
  await outsider.meet(site.uplinkAddress);
  const control = await leaseIsAnswered(site);
  await outsider.meet(site.uplinkAddress);
  const answered = [...asked.flatMap((answers) => answers()), ...claims];
  return {
    ...named,
    held: answered.length === 0 && control.length === servicesOf(site),
    evidence: `asked on the uplink: answered ${list(answered)}; by the lease: answered ${list(control)}`,
    look: answered.length === 0 && control.length < servicesOf(site) ? NOBODY_IS_ANSWERED : undefined,
  };
}

/** The config and what else is secret goes to the lease alone: not to another address, not to its address under another MAC. */
async function secretsArePinned(site: Site): Promise<Proof> {
  const own = strangersAddress(site);
  const neighbour = own && new Station(site, site.isolated, NEIGHBOUR, own);
  const said: string[] = [];
  let held = true;
  if (neighbour) {
    await neighbour.meet(site.applianceIp);
    const control = await neighbour.get(site.applianceIp, PUBLIC_FILE);
    const statuses = await Promise.all(
      site.secretPaths.map(async (path) => [path, await neighbour.get(site.applianceIp, path)] as const),
    );
    held = control === 200 && statuses.every(([, status]) => status !== 200);
    const shown = [[PUBLIC_FILE, control] as const, ...statuses];
    said.push(`${own} gets ${shown.map(([path, status]) => `${path} ${status ?? "no answer"}`).join(", ")}`);
  }
  const thief = new Station(site, site.isolated, THIEF, site.minipcIp, site.isolatedNic);
  const asked = askServices(thief, site.applianceIp, site);
  const control = await leaseIsAnswered(site);
  const isSilent = held && asked().length === 0;
  held = isSilent && control.length === servicesOf(site);
  said.push(`${site.minipcIp} under another MAC: answered ${list(asked())}`);
  return {
    id: "pinned",
    title: "the machine config goes to the pinned lease only",
    held,
    evidence: said.join("; "),
    look: isSilent && !held ? NOBODY_IS_ANSWERED : undefined,
  };
}

const leaving = (from: string | undefined) => (from ? `left from ${from}` : "did not leave");

/** Of the isolated link only the lease gets out, and under the uplink's own address. */
async function onlyTheLeaseGetsOut(site: Site, uplink: Link): Promise<Proof> {
  const out: Packet[] = [];
  uplink.onFrame((frame) => {
    const packet = decode(frame);
    if (packet.source === site.uplinkNic && packet.ip?.to === FAR_AWAY) out.push(packet);
  });
  const own = strangersAddress(site) ?? site.minipcIp;
  const stranger = new Station(site, site.isolated, NEIGHBOUR, own, site.isolatedNic);
  const minipc = new Station(site, site.isolated, site.minipcMac, site.minipcIp, site.isolatedNic);
  const strangersPort = stranger.udp(FAR_AWAY, 9, Buffer.alloc(8));
  const leasesPort = minipc.udp(FAR_AWAY, 9, Buffer.alloc(8));
  const sentFrom = (port: number) => out.find(({ udp }) => udp?.from === port)?.ip?.from;
  // What the stranger sent came before it and took the same way.
  const from = await until(site, () => sentFrom(leasesPort), ANSWER_MS);
  const strangers = sentFrom(strangersPort);
  return {
    id: "way-out",
    title: "only the lease gets out by the uplink, under the uplink's address",
    held: from === site.uplinkAddress && strangers === undefined,
    evidence: `packets to ${FAR_AWAY}: the lease's ${leaving(from)}, a stranger's ${leaving(strangers)}`,
  };
}

/**
 * Asks what must not be answered, once the mini-PC has booted.
 *
 * @param offers what was offered so far: a question long ago may have a slow answer, and this asks again
 */
export async function probe(site: Site, offers: Offers): Promise<Proof[]> {
  const { isolated, uplink, minipcMac } = site;
  // The uplink may have come up after the first question.
  const outsider = uplink && new Station(site, uplink, OUTSIDER, site.uplinkNeighbour);
  const uplinkIsUp = await outsider?.meet(site.uplinkAddress);
  const before = offers.lease.length;
  askForAddresses(site);
  new Station(site, isolated, minipcMac, "0.0.0.0").discover();
  const proofs = [await secretsArePinned(site)];
  if (uplink && uplinkIsUp)
    proofs.push(await uplinkIsSilent(site, uplink), await onlyTheLeaseGetsOut(site, uplink));
  await until(site, () => offers.lease[before], ANSWER_MS);
  return [...nobodyElseIsOffered(offers, offers.lease.slice(before), uplinkIsUp), ...proofs];
}
