import semver from "semver";
import { FACTORY } from "../../stack/image-factory";
import { registryOf } from "../../stack/image-reference";
import { warning, type Finding } from "../../stack/finding";
import { withoutPort } from "./hosts";
import { addressings } from "./link-life";
import type { NodeConfig } from "./node-config";
import { applianceOf, placeOf, type Surroundings } from "./surroundings";

/** Where the installer comes from when the config does not say: until 1.14 the image's registry (pkg/images, gendata). */
const ownRegistry = ({ talosVersion }: Surroundings) =>
  semver.gte(talosVersion, "1.14.0-0") ? FACTORY : "ghcr.io";

/** Where a host is, with or without a port; one of which the config itself tells the address counts by that. */
function whereIs(host: string, { hosts }: NodeConfig, around: Surroundings): ReturnType<typeof placeOf> {
  const name = withoutPort(host);
  return placeOf(hosts.find(({ names }) => names.includes(name))?.address ?? name, around);
}

/** Without an uplink, images come from the link itself or not at all. */
function judgeImages(node: NodeConfig, around: Surroundings): Finding[] {
  const { install, mirrors } = node;
  if (around.uplink || !install.isAsked) return [];
  const registry = install.image ? registryOf(install.image) : ownRegistry(around);
  const own = mirrors.find((mirror) => mirror.registry === registry);
  const used = own ?? mirrors.find((mirror) => mirror.registry === "*");
  const sources = [registry, ...(used?.hosts ?? []), ...node.proxies];
  if (sources.some((host) => whereIs(host, node, around) === "on the link")) return [];
  const failing = install.byDocument
    ? "Talos tries to pull it again and again, and waits"
    : "Talos tries to pull it for 20 minutes and starts again, without end";
  return [
    warning(
      "no-images",
      `uplink is false, and the installer comes from ${registry}${used ? ` or its mirrors ${used.hosts.join(", ")}` : ""}: ` +
        `${failing}. Set uplink or offline to true, or name a mirror by its address on ` +
        `the isolated link (RegistryMirrorConfig, machine.registries before Talos 1.12), or a proxy there. Right only if another NIC of the mini-PC gets it`,
    ),
  ];
}

/** Whether the servers that Talos uses are reached from the link; those that the config names replace those of DHCP. */
function judgeServers(
  servers: string[],
  node: NodeConfig,
  around: Surroundings,
  found: {
    name: "time-off-the-link" | "resolvers-off-the-link";
    what: string;
    lost: string;
    instead: string;
  },
): Finding[] {
  const places = servers
    // A clock of the machine's own is a device.
    .map((server) => (server.startsWith("/") ? "on the link" : whereIs(server, node, around)));
  if (servers.length === 0 || places.includes("on the link")) return [];
  const { name, lost, instead } = found;
  const isOne = servers.length === 1;
  const said = `the config's ${found.what}${isOne ? "" : "s"} ${servers.join(", ")} ${isOne ? "replaces" : "replace"} the appliance`;
  if (!around.uplink)
    return [
      warning(
        name,
        `${said}, and with uplink false nothing off the isolated link is reached: ${lost}. ${instead}`,
      ),
    ];
  const isIpv6 = places.every((place) => place === "in IPv6");
  if (isIpv6)
    return [
      warning(
        name,
        `${said}, and ${isOne ? "has an address" : "have addresses"} of IPv6, which does not pass the appliance: ${lost}. ${instead}`,
      ),
    ];
  if (places.some((place) => place !== "a private network" && place !== "in IPv6")) return [];
  return [
    warning(
      name,
      `${said}, and ${isOne ? "is" : "are"} in a network that the mini-PC reaches only if the appliance's uplink leads there: ` +
        `if not, ${lost}. ${instead}`,
    ),
  ];
}

/** Talos's own time server, where neither DHCP nor the config names one (pkg/machinery/constants: DefaultNTPServer). */
const OWN_TIME = "time.cloudflare.com";

/** A static lease brings no time server along, which DHCP would. */
function judgeUntoldTime(node: NodeConfig, around: Surroundings): Finding[] {
  const isStatic = addressings(node, around).every(({ by }) => by === "static");
  if (around.uplink || !node.keepsTime || node.timeServers.length > 0 || !isStatic) return [];
  return [
    warning(
      "time-off-the-link",
      `the config gives the mini-PC its lease as a static address, so it does not learn of the appliance's time server, and ${OWN_TIME}, ` +
        "Talos's own, is not reached with uplink false: etcd and the kubelet do not start. " +
        `Name ${applianceOf(around)} as its time server, or ask by DHCP`,
    ),
  ];
}

/** Talos reads a mirror's URL as Go does, where what is before a colon is the scheme (internal/pkg/containers/image). */
const judgeSchemes = ({ mirrors }: NodeConfig): Finding[] =>
  mirrors.flatMap(({ registry, withoutScheme: [host] }) =>
    host === undefined
      ? []
      : warning(
          "mirror-without-scheme",
          `the mirror of ${registry}, ${host}, has no http:// or https:// before it, so Talos finds no host in it, and may pull ` +
            `nothing of that registry at all. Write http://${host} or https://${host}`,
        ),
  );

/** Names without a dot: the appliance's DNS does not ask anybody for them (dnsmasq's domain-needed). */
function judgeBareNames(node: NodeConfig, around: Surroundings): Finding[] {
  // With resolvers of its own the mini-PC does not ask the appliance, and a search domain makes the name whole.
  if (node.resolvers.length > 0 || node.searchDomains.length > 0) return [];
  const { image } = node.install;
  const named = [
    ...node.mirrors.flatMap(({ registry, hosts }) =>
      hosts.map((host) => ({ host, of: `the mirror of ${registry}` })),
    ),
    ...node.proxies.map((host) => ({ host, of: "the proxy" })),
    ...node.timeServers.map((host) => ({ host, of: "the time server" })),
    { host: node.omni, of: "Omni" },
    ...(image ? [{ host: registryOf(image), of: "the installer's registry" }] : []),
  ];
  const bare = named.filter(({ host }) => {
    const name = withoutPort(host);
    if (name === "" || name === "localhost" || name.startsWith("/")) return false;
    return whereIs(name, node, around) === "a bare name";
  });
  return bare.length === 0
    ? []
    : [
        warning(
          "bare-host-name",
          `${bare.map(({ host, of }) => `${of}, ${host}`).join(", and ")}, is a name without a dot, which the appliance's DNS ` +
            "never finds: the mini-PC gets nothing from there. Write its whole name or its address, or give its address in a " +
            "StaticHostConfig (machine.network.extraHostEntries before Talos 1.12)",
        ),
      ];
}

/** Whether a time server is reached from the isolated link. */
export const judgeTime = (node: NodeConfig, around: Surroundings): Finding[] => [
  ...judgeServers(node.keepsTime ? node.timeServers : [], node, around, {
    name: "time-off-the-link",
    what: "time server",
    lost: "Talos waits for the time, and etcd and the kubelet do not start",
    instead: `Leave them out, since the appliance serves the time, or name ${applianceOf(around)} among them`,
  }),
  ...judgeUntoldTime(node, around),
];

/** Whether images, time, names and Omni are reached from the isolated link. */
export function judgeServices(node: NodeConfig, around: Surroundings): Finding[] {
  const appliance = applianceOf(around);
  return [
    ...judgeImages(node, around),
    ...judgeTime(node, around),
    ...judgeServers(node.resolvers, node, around, {
      name: "resolvers-off-the-link",
      what: "resolver",
      lost: "no name is resolved, so the installer is not pulled from a registry that is given by name",
      instead: `Leave them out, since the appliance answers DNS, or name ${appliance} among them`,
    }),
    ...judgeSchemes(node),
    ...judgeBareNames(node, around),
    ...(node.omni && !around.uplink && whereIs(node.omni, node, around) !== "on the link"
      ? [
          warning(
            "omni-off-the-link",
            `uplink is false, and the config has the mini-PC report to ${node.omni}: it is not reached, and nothing happens. ` +
              "Set uplink to true",
          ),
        ]
      : []),
  ];
}
