import type { ServedImage } from "../steps/contracts/image";
import type { DhcpMessage } from "./network/dhcp";
import type { MachineName, Seen } from "./network/seen";

/** What a rehearsal holds the image to. */
export interface Expected {
  minipcMac: string;
  minipcIp: string;
  applianceIp: string;
  /** MAC of the appliance's NIC that is on the isolated link. */
  isolatedNic: string;
  /** The kernel's arguments, in any order. */
  kernelArguments: string[];
  /** SHA-256 of the decrypted machine config. */
  configSha256: string;
  /** Why the mini-PC need not ask the appliance for the time once it has its config, in words; unset where it does. */
  timeElsewhere?: string;
  /** What no virtual machine can show of the install disk, in words. */
  unseenDisk?: string;
  /** Whether the mini-PC's command line has a serial console: without one, its milestones show on the wire alone. */
  hasSerialConsole: boolean;
  /** Address of a host in the stack's operatorNetwork; unset for a stack without one, or without an uplink. */
  operator?: string;
  /** What the appliance of an offline stack has of images; unset for others. */
  images?: ServedImage[];
}

/** All that was seen so far, and what it is compared with. */
export interface View {
  seen: readonly Seen[];
  expected: Expected;
}

type OfKind<K extends Seen["kind"]> = Extract<Seen, { kind: K }>;
export function all<K extends Seen["kind"]>({ seen }: View, kind: K): OfKind<K>[] {
  return seen.filter((what): what is OfKind<K> => what.kind === kind);
}

/** What the mini-PC itself did, or was told, of a kind. */
export function ofMinipc<K extends "tftp" | "http" | "registry" | "connect" | "time">(
  view: View,
  kind: K,
): OfKind<K>[] {
  return all(view, kind).filter((what) => "mac" in what && what.mac === view.expected.minipcMac);
}

export const dhcpOfMinipc = (view: View, type: DhcpMessage["type"]) =>
  all(view, "dhcp").filter(
    ({ link, message }) =>
      link === "isolated" && message.type === type && message.client === view.expected.minipcMac,
  );

export const askedAs = (view: View, stage: DhcpMessage["stage"]) =>
  dhcpOfMinipc(view, "discover").filter(({ message }) => message.stage === stage);

/** A NIC whose ROM is iPXE asks as iPXE at once, without the firmware's own PXE. */
export const hasIpxeRom = (view: View) => dhcpOfMinipc(view, "discover")[0]?.message.stage === "ipxe";

export const firmwareAsked = (view: View) => askedAs(view, hasIpxeRom(view) ? "ipxe" : "firmware");

/** What the operating system was leased; a firmware asks for less. */
export function systemsLease(view: View): DhcpMessage | undefined {
  const asked = dhcpOfMinipc(view, "request").find(({ message }) => message.stage === "system");
  return asked && dhcpOfMinipc(view, "ack").find(({ atMs }) => atMs >= asked.atMs)?.message;
}

/** The first line of a console that matches. */
export function line(view: View, machine: MachineName, pattern: RegExp) {
  for (const { machine: speaker, text, atMs } of all(view, "line")) {
    const match = speaker === machine && pattern.exec(text);
    if (match) return { atMs, text, match };
  }
  return undefined;
}

export const lines = (view: View, machine: MachineName, pattern: RegExp) =>
  all(view, "line").filter(({ machine: speaker, text }) => speaker === machine && pattern.test(text));

/** The last words of a console that match, as a clause to add, or nothing. */
export function lastWords(view: View, machine: MachineName, pattern: RegExp): string {
  const words = lines(view, machine, pattern).at(-1)?.text;
  const speaker = machine === "minipc" ? "mini-PC" : "appliance";
  return words ? `; the ${speaker}'s console says: ${words.replace(/^bootstrap-pxe: /, "")}` : "";
}

export const hasEnded = (view: View, machine: MachineName) =>
  all(view, "ended").some(({ machine: which }) => which === machine);
