import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { findingsOf } from "../../../steps/talos/findings";
import { readNodeConfig } from "../../../steps/talos/read-node-config";
import type { Surroundings } from "../../../steps/talos/surroundings";

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

type Fields = Record<string, unknown>;

const joined = (documents: unknown[]) => documents.map((each) => stringify(each)).join("---\n");
const documentsOf = (text: string) => parseAllDocuments(text);

/** A config with other values, by their path, in its first document or in that of a kind. */
export function edited(text: string, values: Fields, kind?: string): string {
  const documents = documentsOf(text);
  const document = documents.find((each) => !kind || each.get("kind") === kind)!;
  for (const [path, value] of Object.entries(values)) document.setIn(path.split("."), value);
  return joined(documents.map((each) => each.toJS() as unknown));
}

/** A config without its document of a kind. */
export const without = (text: string, kind: string) =>
  joined(
    documentsOf(text)
      .filter((each) => each.get("kind") !== kind)
      .map((each) => each.toJS() as unknown),
  );

/** A config of v1.11.6 with other values in its `machine`. */
export const withMachine = (values: Fields) =>
  edited(
    made("v1.11.6"),
    Object.fromEntries(Object.entries(values).map(([path, value]) => [`machine.${path}`, value])),
  );

/** A config of v1.11.6 with these network interfaces. */
export const withInterfaces = (...interfaces: Fields[]) => withMachine({ "network.interfaces": interfaces });

/** A config of v1.14.1 with these documents more. */
export const withDocuments = (...more: Fields[]) =>
  [made("v1.14.1"), joined(more.map((each) => ({ apiVersion: "v1alpha1", ...each })))].join("---\n");

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
