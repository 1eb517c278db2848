import * as z from "zod";
import { hostOf, mirrorOf } from "./hosts";
import { count, flag, part, text, texts } from "./lenient";
import { LOOPBACK, USUAL_METRIC } from "./nics";
import type { LinkEntry, Reading } from "./node-config";

/** What the documents of links have in common (pkg/machinery, config/types/network/link.go: CommonLinkConfig). */
const Link = z.object({
  name: z.string().catch(""),
  up: flag,
  addresses: part(z.array(z.object({ address: z.string() }))),
  routes: part(z.array(z.object({ destination: text, gateway: text, metric: count, table: text }))),
  hardwareAddr: text,
  links: texts,
  parent: text,
});

/** Kinds of links, by the kinds of documents that configure them. */
const LINK_KINDS: Record<string, LinkEntry["kind"]> = {
  LinkConfig: "nic",
  BondConfig: "bond",
  BridgeConfig: "bridge",
  VRFConfig: "vrf",
  VLANConfig: "vlan",
  DummyLinkConfig: "virtual",
  VethConfig: "virtual",
  WireguardConfig: "virtual",
};
const DHCP_KINDS = ["DHCPv4Config", "DHCPv6Config"];

/** The other documents that matter here, by kind: each its schema, and what it tells. */
const schemas = {
  KubeClusterConfig: z.object({ clusterName: text, endpoint: text }),
  UnattendedInstallConfig: z.object({
    installer: part(z.object({ image: text })),
    provisioning: part(z.object({ diskSelector: part(z.object({ match: text })) })),
  }),
  LinkAliasConfig: z.object({ name: z.string(), selector: z.object({ match: z.string() }) }),
  DHCPv4Config: z.object({ name: z.string(), ignoreRoutes: flag, routeMetric: count }),
  Layer2VIPConfig: z.object({ name: z.string() }),
  TimeSyncConfig: z.object({
    enabled: flag,
    ntp: part(z.object({ servers: texts })),
    ptp: part(z.object({ devices: texts })),
  }),
  ResolverConfig: z.object({
    nameservers: part(z.array(z.object({ address: z.string() }))),
    searchDomains: part(z.object({ domains: texts })),
  }),
  StaticHostConfig: z.object({ name: z.string(), hostnames: texts }),
  RegistryMirrorConfig: z.object({
    name: z.string(),
    endpoints: part(z.array(z.object({ url: z.string() }))),
  }),
  EnvironmentConfig: z.object({ variables: part(z.looseObject({})) }),
  SideroLinkConfig: z.object({ apiUrl: z.string() }),
};

const Kind = z.object({ kind: z.string() });
const kindOf = (document: unknown) => Kind.safeParse(document).data?.kind ?? "";

/** The documents of a kind, as far as they have the form that Talos gives them. */
function all<K extends keyof typeof schemas>(documents: unknown[], kind: K): z.output<(typeof schemas)[K]>[] {
  return documents
    .filter((each) => kindOf(each) === kind)
    .flatMap((each) => {
      const { data } = schemas[kind].safeParse(each);
      return data === undefined ? [] : [data as z.output<(typeof schemas)[K]>];
    });
}

/** A device path that is all that a CEL expression asks for. */
const DISK_PATH = /^\s*disk\.dev_path\s*==\s*(["'])([^"']+)\1\s*$/;

function entryOf(document: unknown): LinkEntry {
  const kind = kindOf(document);
  const link = Link.parse(document);
  return {
    where: `${kind} ${link.name}`,
    kind: link.name === LOOPBACK ? "virtual" : LINK_KINDS[kind]!,
    choice: { name: link.name },
    members: [...(link.links ?? []), ...(link.parent ? [link.parent] : [])].map((name) => ({ name })),
    dhcp: false,
    addresses: (link.addresses ?? []).map(({ address }) => address),
    // A route without a destination is a default route, of the gateway's family.
    gateways: (link.routes ?? []).flatMap(({ destination, gateway, metric, table = "main" }) =>
      gateway && !destination && table === "main" ? { address: gateway, metric: metric || USUAL_METRIC } : [],
    ),
    ignore: false,
    up: link.up ?? true,
    hardwareAddr: link.hardwareAddr,
  };
}

type Dhcp = z.output<(typeof schemas)["DHCPv4Config"]>;

/** DHCP is a document of its own: it belongs to the link of its name, or to a NIC that nothing else mentions. */
function withDhcp(links: LinkEntry[], documents: Dhcp[]): LinkEntry[] {
  const nameOf = ({ choice }: LinkEntry) => ("name" in choice ? choice.name : "");
  const asked = documents.map(({ name, ignoreRoutes, routeMetric }) => ({
    name,
    what: { dhcp: true, ignoresRoutes: ignoreRoutes, dhcpMetric: routeMetric || USUAL_METRIC },
  }));
  const known = links.map((link) => ({ ...link, ...asked.find(({ name }) => name === nameOf(link))?.what }));
  const alone = asked.filter(({ name }) => !links.some((link) => nameOf(link) === name));
  return [
    ...known,
    ...alone.map(({ name, what }): LinkEntry => ({
      where: `DHCPv4Config ${name}`,
      kind: "nic",
      choice: { name },
      members: [],
      addresses: [],
      gateways: [],
      ignore: false,
      up: true,
      ...what,
    })),
  ];
}

/** What the documents of a config say beside its v1alpha1 sections (pkg/machinery, config/types). */
export function readDocuments(documents: unknown[]): Reading {
  const kinds = documents.map(kindOf);
  const [kube] = all(documents, "KubeClusterConfig");
  const [install] = all(documents, "UnattendedInstallConfig");
  const [time] = all(documents, "TimeSyncConfig");
  const [resolver] = all(documents, "ResolverConfig");
  const match = install?.provisioning?.diskSelector?.match ?? "";
  const disk = DISK_PATH.exec(match)?.[2] ?? "";
  const servers = [...(time?.ntp?.servers ?? []), ...(time?.ptp?.devices ?? [])];
  const links = documents.filter((each) => kindOf(each) in LINK_KINDS).map(entryOf);
  return {
    clusterName: kube?.clusterName,
    endpoint: kube?.endpoint,
    install: install && {
      isAsked: true,
      image: install.installer?.image ?? "",
      disk,
      diskSelector: disk ? "" : match,
      byDocument: true,
    },
    links: withDhcp(links, all(documents, "DHCPv4Config")),
    aliases: all(documents, "LinkAliasConfig").map(({ name, selector }) => ({ name, match: selector.match })),
    hasDefaultDhcp: !kinds.some((kind) => kind in LINK_KINDS || DHCP_KINDS.includes(kind)),
    vips: all(documents, "Layer2VIPConfig").map(({ name }) => name),
    timeServers: servers.length > 0 ? servers : undefined,
    keepsTime: time?.enabled === false ? false : undefined,
    resolvers: resolver?.nameservers?.length ? resolver.nameservers.map(({ address }) => address) : undefined,
    searchDomains: resolver?.searchDomains?.domains ?? undefined,
    hosts: all(documents, "StaticHostConfig").map(({ name, hostnames }) => ({
      address: name,
      names: hostnames ?? [],
    })),
    mirrors: all(documents, "RegistryMirrorConfig").map(({ name, endpoints }) =>
      mirrorOf(
        name,
        (endpoints ?? []).map(({ url }) => url),
      ),
    ),
    environment: all(documents, "EnvironmentConfig").flatMap(({ variables }) =>
      Object.entries(variables ?? {}),
    ),
    omni: all(documents, "SideroLinkConfig").map(({ apiUrl }) => hostOf(apiUrl))[0],
  };
}
