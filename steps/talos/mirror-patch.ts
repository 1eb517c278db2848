import semver from "semver";
import { stringify } from "yaml";
import { servedHost } from "../../stack/image-reference";
import { REGISTRY_PORT } from "../../stack/ports";
import { parseDocuments } from "./config-patch";
import type { NodeConfig } from "./node-config";
import { applianceOf, type Surroundings } from "./surroundings";

/** The appliance's address with the port of its images. */
export const mirrorAddress = (around: Pick<Surroundings, "applianceCidr">) =>
  `${applianceOf(around)}:${REGISTRY_PORT}`;

/** The release from which on mirrors and time servers are documents of their own. */
const hasDocuments = (talosVersion: string) => semver.gte(talosVersion, "1.12.0-0");

/** Each upstream has a path of its own in the one registry, so the mirror's path is taken as it stands. */
const endpointOf = (host: string, around: Pick<Surroundings, "applianceCidr">) =>
  `http://${mirrorAddress(around)}/v2/${servedHost(host)}`;

/** A patch of several documents, each value written out: Talos finds no `$patch` behind an alias. */
const patchOf = (documents: readonly object[]) =>
  documents.map((document) => stringify(document, { aliasDuplicateObjects: false })).join("---\n");

type Around = Pick<Surroundings, "applianceCidr" | "talosVersion">;

function mirrorDocuments(hosts: readonly string[], around: Around): object[] {
  return hosts.map((name) => ({
    apiVersion: "v1alpha1",
    kind: "RegistryMirrorConfig",
    name,
    endpoints: [{ url: endpointOf(name, around), overridePath: true }],
    skipFallback: true,
  }));
}

const mirrorSections = (hosts: readonly string[], around: Around) => ({
  registries: {
    mirrors: Object.fromEntries(
      hosts.map((host) => [
        host,
        { endpoints: [endpointOf(host, around)], overridePath: true, skipFallback: true },
      ]),
    ),
  },
});

/** Whether a config says its time servers in a document. */
const timeInDocument = (config: string, talosVersion: string) =>
  parseDocuments(config).some((document) => document.get("kind") === "TimeSyncConfig") ||
  (hasDocuments(talosVersion) &&
    !parseDocuments(config).some((document) => document.hasIn(["machine", "time"])));

/**
 * The patch that makes a node take its images from the appliance: what is mirrored comes from there and from nowhere else. It
 * has the form of a patch for talosctl, in the syntax of the config's release.
 *
 * @param config the machine config that it is for
 * @param hosts the registries that the node's images come from
 * @param served what the config says once it is patched
 */
export function mirrorPatch(
  config: string,
  hosts: readonly string[],
  served: Pick<NodeConfig, "timeServers" | "isPartial">,
  around: Around & { tellsTime: boolean },
): string {
  const { talosVersion, tellsTime } = around;
  const servers = served.timeServers;
  const byDocument = tellsTime && timeInDocument(config, talosVersion);
  const machine = {
    ...(hasDocuments(talosVersion) ? {} : mirrorSections(hosts, around)),
    ...(tellsTime && !byDocument ? { time: { servers } } : {}),
  };
  const documents: object[] = [
    ...(Object.keys(machine).length > 0 && !served.isPartial ? [{ machine }] : []),
    ...(hasDocuments(talosVersion) ? mirrorDocuments(hosts, around) : []),
    ...(byDocument ? [{ apiVersion: "v1alpha1", kind: "TimeSyncConfig", ntp: { servers } }] : []),
  ];
  return patchOf(documents);
}

/**
 * The patch for talosctl that takes the appliance's mirrors away again from a node that has them, once the appliance is gone. A
 * mirror that the encrypted config has of one of these registries comes back only with that config.
 */
export function removalPatch(hosts: readonly string[], talosVersion: string): string {
  const gone = { $patch: "delete" };
  const documents: object[] = hasDocuments(talosVersion)
    ? hosts.map((name) => ({ apiVersion: "v1alpha1", kind: "RegistryMirrorConfig", name, ...gone }))
    : [{ machine: { registries: { mirrors: Object.fromEntries(hosts.map((host) => [host, gone])) } } }];
  return patchOf(documents);
}
