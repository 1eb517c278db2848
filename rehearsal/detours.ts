import { registryOf } from "../stack/image-reference";
import type { Link } from "./network/link";
import { ACK, decode, SYN } from "./network/packets";
import type { Site } from "./proofs";
import type { Proof } from "./record";

/** Port of DNS. */
const NAMES = 53;

/** The name that a DNS question is for (RFC 1035, section 4.1.2), in lower case; empty where it has none. */
export function nameAsked(question: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; at < question.length;) {
    const length = question.readUInt8(at);
    // A question's name is not compressed: its labels are of 63 bytes at most.
    if (length === 0 || length > 63) break;
    labels.push(question.subarray(at + 1, at + 1 + length).toString("latin1"));
    at += 1 + length;
  }
  return labels.join(".").toLowerCase();
}

/**
 * Hears from now on where else the mini-PC looks for images: a question for the name of one of their registries, a connection
 * to any other host.
 */
export function hearDetours(
  site: Pick<Site, "minipcMac" | "applianceIp" | "images"> & { isolated: Pick<Link, "onFrame"> },
): string[] {
  const hosts = new Set(
    (site.images ?? []).map(({ reference }) => registryOf(reference).replace(/:\d+$/, "")),
  );
  const isRegistry = (name: string) => [...hosts].some((host) => name === host || name.endsWith(`.${host}`));
  const detours: string[] = [];
  site.isolated.onFrame((frame) => {
    const { source, ip, udp, tcp } = decode(frame);
    if (source !== site.minipcMac || !ip) return;
    const name = udp?.to === NAMES ? nameAsked(udp.payload) : "";
    if (isRegistry(name)) detours.push(`a question for ${name}`);
    const isFirst = tcp && (tcp.flags & (SYN | ACK)) === SYN;
    if (isFirst && ip.to !== site.applianceIp) detours.push(`a connection to ${ip.to}:${tcp.to}`);
  });
  return detours;
}

/** @param detours what was heard while the mini-PC booted */
export function imagesFromApplianceAlone(detours: string[]): Proof {
  return {
    id: "images-alone",
    title: "the mini-PC looks for images nowhere but at the appliance",
    held: detours.length === 0,
    evidence: `in the packets of its whole boot: ${[...new Set(detours)].join(", ") || "nothing"}`,
  };
}
