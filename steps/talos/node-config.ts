import type { NamedImages } from "./named-images";

/** How a v1alpha1 section selects NICs: text of Talos's own, in which `*` stands for anything. */
export interface NicSelector {
  hardwareAddr?: string;
  permanentAddr?: string;
  busPath?: string;
  pciID?: string;
  driver?: string;
  physical?: boolean;
}

/** How a config says which link it means: by a name (of the kernel, or an alias), or by what the NIC is. */
export type LinkChoice = { name: string } | { selector: NicSelector };

/** A default route: of those that are there, the kernel takes the one with the lowest metric. */
export interface Gateway {
  address: string;
  metric: number;
}

/** What a config says of one link. */
export interface LinkEntry {
  /** Where the config says it, as its reader finds it: `machine.network.interfaces[0]`, `LinkConfig net0`. */
  where: string;
  /** `nic` is one of the machine's; Talos makes the others, of their members or of nothing, and the loopback is no NIC. */
  kind: "nic" | "bond" | "bridge" | "vrf" | "vlan" | "virtual";
  choice: LinkChoice;
  /** Members of a bond, a bridge or a VRF; the parent of a VLAN. */
  members: LinkChoice[];
  /** Name of the bridge that a NIC is made a port of. */
  master?: string;
  /** Whether Talos asks for an IPv4 address on it by DHCP. */
  dhcp: boolean;
  /** Whether the routes that DHCP gives are left out. */
  ignoresRoutes?: boolean;
  /** Static addresses, with their prefix length. */
  addresses: string[];
  /** Metric of the routes that DHCP tells. */
  dhcpMetric?: number;
  /** Its default routes, of both families. */
  gateways: Gateway[];
  /** Whether Talos is to leave it alone. */
  ignore: boolean;
  /** Whether it is brought up. */
  up: boolean;
  /** The MAC that it is given. */
  hardwareAddr?: string;
}

/** A name that a config gives to NICs which a CEL expression selects; `net%d` names several, by a number. */
export interface LinkAlias {
  name: string;
  match: string;
}

/** Where images of a registry come from instead. */
export interface Mirror {
  /** The registry's host, or `*`. */
  registry: string;
  /** Hosts of the mirrors, with their port. */
  hosts: string[];
  /** Those that have no `http://` or `https://` before them: Talos finds no host in such a URL. */
  withoutScheme: string[];
}

/** An environment variable of Talos's services. */
export type Variable = [name: string, value: unknown];

/** What plain HTTP goes through, as Talos and its services take it from their environment (golang.org/x/net/http/httpproxy). */
export interface Proxying {
  /** Hosts with their port. */
  proxies: string[];
  /** What is fetched without them: names, addresses, networks, with a port or without; `*` is all. */
  except: string[];
}

/** What of a Talos machine config matters for a start on the isolated link. No secret is in it. */
export interface NodeConfig {
  /** Whether it is but a part of one, without a machine: Talos gets the rest elsewhere. */
  isPartial: boolean;
  machineType: string;
  clusterName: string;
  /** Names the cluster: the same for each of its machines. Empty where the config has no CA. */
  cluster: string;
  /** URL of the Kubernetes API. */
  endpoint: string;
  install: {
    /** Whether Talos is told to install itself. */
    isAsked: boolean;
    /** Reference of the installer's image; empty where Talos takes its own. */
    image: string;
    /** Device path of the disk; empty where a selector says which. */
    disk: string;
    /** What selects the disk, as the config has it; empty where a path says which. */
    diskSelector: string;
    /** Whether an UnattendedInstallConfig tells it, which differs from `machine.install` in what Talos takes as its own image. */
    byDocument: boolean;
  };
  links: LinkEntry[];
  aliases: LinkAlias[];
  /**
   * Whether Talos asks by DHCP on each NIC that the config does not mention. Any document of a link or of DHCP ends that
   * for all of them (Talos 1.12 and later: `Container.RunDefaultDHCPOperators`).
   */
  hasDefaultDhcp: boolean;
  vips: string[];
  /** Time servers, hosts or devices; empty where those of DHCP count. */
  timeServers: string[];
  /** Whether Talos waits for the time. */
  keepsTime: boolean;
  /** Addresses of resolvers; empty where those of DHCP count. */
  resolvers: string[];
  searchDomains: string[];
  /** Addresses that the config itself gives to host names. */
  hosts: { address: string; names: string[] }[];
  mirrors: Mirror[];
  /** HTTP proxies that Talos and its services use, hosts with their port. */
  proxies: string[];
  /** Host of the Omni that the machine reports to; empty without. */
  omni: string;
  images: NamedImages;
  plainHttp: Proxying;
}

export type Reading = Partial<
  Omit<NodeConfig, "cluster" | "links" | "vips" | "hosts" | "mirrors" | "proxies" | "images" | "plainHttp">
> & {
  /** Certificate of the CA of Talos's API. */
  ca?: string;
  links: LinkEntry[];
  vips: string[];
  hosts: NodeConfig["hosts"];
  mirrors: Mirror[];
  /** May hold secrets, such as a proxy's password. */
  environment: Variable[];
};
