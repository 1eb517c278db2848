import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { findingsOf } from "../../../steps/talos/findings";
import { readNodeConfig } from "../../../steps/talos/node-config";
import type { Surroundings } from "../../../steps/talos/surroundings";

/** A document of a config, as a case changes it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Document = Record<string, any>;

/** The pinned NIC, another one of the same machine, and what the stack says of the link. */
export const NIC = "52:54:00:12:34:ab";
export const OTHER = "52:54:00:12:34:57";
export const AROUND: Omit<Surroundings, "talosVersion"> = {
  minipcIp: "10.10.10.100",
  minipcMac: NIC,
  applianceCidr: "10.10.10.2/24",
  uplink: true,
  joins: false,
};

/** Configs as Talos's own generator made them for each release, with every key and token replaced. */
export const RELEASES = ["v1.9.5", "v1.11.6", "v1.12.6", "v1.14.1"] as const;
export const made = (release: string, type = "controlplane") =>
  readFileSync(join(__dirname, "configs", `${release}-${type}.yaml`), "utf8");

/** The documents of a config, changed, and others after them. */
export function changed(
  text: string,
  change: (documents: Document[]) => void = () => undefined,
  more: Document[] = [],
): string {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as Document);
  change(documents);
  return [...documents, ...more.map((each) => ({ apiVersion: "v1alpha1", ...each }))]
    .map((each) => stringify(each))
    .join("---\n");
}

/** A config of v1.11.6 with these network interfaces. */
export const withInterfaces = (...interfaces: Document[]) =>
  changed(made("v1.11.6"), ([config]) => (config!.machine.network.interfaces = interfaces));

/** A config of v1.14.1 with these documents more. */
export const withDocuments = (...more: Document[]) => changed(made("v1.14.1"), undefined, more);

export const ALIAS = {
  kind: "LinkAliasConfig",
  name: "net0",
  selector: { match: `mac(link.permanent_addr) == "${NIC}"` },
};

/** What is found, a line each: its level, its name, its words. */
export function found(text: string, around: Partial<Surroundings> = {}): string[] {
  const talosVersion = text.includes("UnattendedInstallConfig") ? "v1.14.1" : "v1.11.6";
  return findingsOf(readNodeConfig(text), { ...AROUND, talosVersion, ...around }).map(
    ({ level, name, text: words }) => `${level} ${name}: ${words}`,
  );
}
