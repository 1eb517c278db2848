import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { imageOf, machineOf, type Machine } from "./config/defaults";
import type { Fault } from "./config/fault";
import { readStackText, type StackText } from "./stack-text";

/** A stack as its file in the checkout describes it. */
export interface StackFile extends StackText {
  stack: string;
  machine: Machine;
}

const NAME = /^Pulumi\.(.+)\.yaml$/;
/** It boots virtual machines alone. */
const DEMO = "demo";

/** What a stack's file sets; a file that is missing sets nothing. */
export function readStackFile(folder: string, stack: string): StackFile {
  const path = join(folder, `Pulumi.${stack}.yaml`);
  const text = readStackText(existsSync(path) ? readFileSync(path, "utf8") : "");
  return { stack, ...text, machine: machineOf(text.given) };
}

/**
 * The faults of values that YAML reads as something else than what stands in a stack's file.
 *
 * @param given what Pulumi hands over, by key without the namespace: what it has from elsewhere is not the file's fault
 */
export const misreadFaults = ({ misread }: StackFile, given: Record<string, string>): Fault[] =>
  misread
    .filter(({ key, value }) => given[key] === value)
    .map(({ key, text, value }) => ({
      key,
      value,
      wrong: `YAML reads ${text} as this value`,
      right: `${key}: ${JSON.stringify(text)}`,
    }));

/** The names of the stacks that have a file in the checkout, but the demo's. */
export const stackNames = (folder: string): string[] =>
  readdirSync(folder)
    .flatMap((file) => NAME.exec(file)?.[1] ?? [])
    .filter((name) => name !== DEMO)
    .sort();

/** Every stack that has a file in the checkout, but the demo. */
export const stackFiles = (folder: string): StackFile[] =>
  stackNames(folder).map((name) => readStackFile(folder, name));

/** Things that have a value in common, by that value. */
export function groupsBy<T>(all: T[], valueOf: (each: T) => string | undefined): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const each of all) {
    const value = valueOf(each);
    if (value) groups.set(value, [...(groups.get(value) ?? []), each]);
  }
  return [...groups].filter(([, members]) => members.length > 1);
}

/** The names of stacks as a sentence lists them. */
export const listed = (stacks: Pick<StackFile, "stack">[]) => {
  const names = stacks.map(({ stack }) => stack);
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
};

/**
 * What stacks have in common that their machines cannot have at the same time, a line each. All of it is legal: a mini-PC may
 * have two stacks, and an address serves the next one when the first has left the network.
 *
 * @param about tells only what concerns this stack
 */
export function sharedByStacks(stacks: StackFile[], about?: string): string[] {
  // Without a MAC of its own, a stack serves nobody.
  const serving = stacks.filter(({ machine }) => machine.mac);
  const shared = (valueOf: (machine: Machine) => string | undefined) =>
    groupsBy(serving, ({ machine }) => valueOf(machine)).filter(
      ([, members]) => about === undefined || members.some(({ stack }) => stack === about),
    );
  // Of one mini-PC with two stacks the MAC says it all.
  const isOfSeveral = ([, members]: [string, StackFile[]]) =>
    new Set(members.map(({ machine }) => machine.mac)).size > 1;
  const macs = shared(({ mac }) => mac).map(
    ([mac, members]) =>
      `The stacks ${listed(members)} have the same minipcMac ${mac}: run only one of their appliances at a time, ` +
      "since the mini-PC takes whichever answers first.",
  );
  const leases = shared(({ lease, link }) => lease && link && `${lease} on ${link}`)
    .filter(isOfSeveral)
    .map(
      ([lease, members]) =>
        `The stacks ${listed(members)} have the same minipcIp ${lease}: only one of their mini-PCs can be on that ` +
        "link at a time. Set another minipcIp, or move the first one away before the next.",
    );
  const uplinks = shared(({ uplinkAddress }) => uplinkAddress)
    .filter(isOfSeveral)
    .map(
      ([address, members]) =>
        `The stacks ${listed(members)} have the same address ${address} on the uplink (uplinkCidr): only one of their ` +
        "appliances can be on that network at a time. Set another address, or shut down the first appliance before the " +
        "next one starts.",
    );
  return [...macs, ...leases, ...uplinks];
}

/** Two stacks that would make one file, which cannot be; undefined when there are none. */
export function sharedImage(stacks: StackFile[]): { image: string; stacks: [string, string] } | undefined {
  const owners = new Map<string, string>();
  for (const { stack, given } of stacks) {
    const image = imageOf(given);
    const other = owners.get(image);
    if (other) return { image, stacks: [other, stack] };
    owners.set(image, stack);
  }
  return undefined;
}
