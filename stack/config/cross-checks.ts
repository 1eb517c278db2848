import { halfKey, hasCredentials, sourceVariable, strayInKey } from "../bucket";
import { factoryPath } from "../image-factory";
import { splitQuery } from "../source-url";
import type { Fault } from "./fault";
import type { Key, StackConfig } from "./keys";
import { overlap } from "../networks";
import { asNumber, inSubnet, type Subnet } from "./subnet";

type Wrong = [key: Key, wrong: string];

/** What an ISO's URL says of itself, and the keys say otherwise. */
function isoFaults({ isoUrl = "", talosSchematic, talosVersion }: Partial<StackConfig>): Wrong[] {
  const factory = factoryPath(isoUrl);
  if (!factory) return [];
  const faults: Wrong[] = [];
  if (talosSchematic && factory.schematic !== talosSchematic)
    faults.push(["isoUrl", `of the schematic ${factory.schematic}, but talosSchematic is ${talosSchematic}`]);
  if (talosVersion && factory.talosVersion !== talosVersion)
    faults.push(["isoUrl", `of Talos ${factory.talosVersion}, but talosVersion is ${talosVersion}`]);
  return faults;
}

const isReserved = (address: string, { network, broadcast }: Subnet) =>
  [network, broadcast].includes(address);

function leaseFault(lease: string, link: Subnet): string | undefined {
  if (!inSubnet(lease, link)) return `outside the appliance's subnet ${link.network}/${link.prefix}`;
  if (lease === link.address) return "the appliance's own address (applianceCidr)";
  return isReserved(lease, link) ? "the network or the broadcast address of the subnet" : undefined;
}

function rangeFault({ first, last }: StackConfig["dhcpRange"], link: Subnet): string | undefined {
  const [from, to, own] = [first, last, link.address].map(asNumber) as [number, number, number];
  if (!inSubnet(first, link) || !inSubnet(last, link))
    return `outside the appliance's subnet ${link.network}/${link.prefix}`;
  if (from > to) return "its first address comes after its last";
  if (from <= own && own <= to) return `holds the appliance's own address ${link.address}`;
  return isReserved(first, link) || isReserved(last, link)
    ? "holds the network or the broadcast address of the subnet"
    : undefined;
}

/** How the addresses fit together. */
function addressFaults({ applianceCidr: link, minipcIp, dhcpRange }: Partial<StackConfig>): Wrong[] {
  if (!link) return [];
  const own = isReserved(link.address, link)
    ? `${link.address} is the network or the broadcast address of its own subnet`
    : undefined;
  const found: [Key, string | undefined][] = [
    ["applianceCidr", own],
    ["minipcIp", minipcIp && leaseFault(minipcIp, link)],
    ["dhcpRange", dhcpRange && rangeFault(dhcpRange, link)],
  ];
  return found.flatMap(([key, wrong]): Wrong[] => (wrong ? [[key, wrong]] : []));
}

/** Why a fixed address of the uplink cannot be the appliance's, beside its address on the isolated link. */
function uplinkAddressFault(uplink: Subnet, link: Subnet | undefined, gateway: string | undefined) {
  if (isReserved(uplink.address, uplink))
    return `${uplink.address} is the network or the broadcast address of its own network`;
  if (!link) return undefined;
  // Of a network around the isolated link's, the narrower route counts: only these two addresses may not be in it.
  const isInTheWay =
    inSubnet(uplink.address, link) ||
    (uplink.prefix >= link.prefix
      ? inSubnet(uplink.network, link)
      : gateway !== undefined && inSubnet(gateway, link));
  return isInTheWay
    ? `its network ${uplink.network}/${uplink.prefix} overlaps the isolated link's ${link.network}/${link.prefix} (applianceCidr)`
    : undefined;
}

function gatewayFault(gateway: string, uplink: Subnet): string | undefined {
  if (!inSubnet(gateway, uplink)) return `outside the uplink's network ${uplink.network}/${uplink.prefix}`;
  if (gateway === uplink.address) return "the appliance's own address on the uplink (uplinkCidr)";
  return isReserved(gateway, uplink)
    ? "the network or the broadcast address of the uplink's network"
    : undefined;
}

/** What an uplink without DHCP needs. */
function uplinkFaults(config: Partial<StackConfig>, values: Record<string, string>): Wrong[] {
  const { uplink, uplinkCidr, uplinkGateway: gateway, applianceCidr, upstreamDns } = config;
  const set = (["uplinkCidr", "uplinkGateway"] as const).filter((key) => values[key]);
  if (set.length === 0) return [];
  if (uplink === false) return set.map((key) => [key, "it is of the uplink, and uplink is false"]);
  const faults: Wrong[] = [];
  if (!values.uplinkGateway)
    faults.push(["uplinkGateway", "uplinkCidr is set, and without a router the uplink leads nowhere"]);
  if (!values.uplinkCidr)
    faults.push(["uplinkCidr", "uplinkGateway is set, and DHCP names a router of its own"]);
  if (!values.upstreamDns || upstreamDns?.length === 0)
    faults.push(["upstreamDns", "uplinkCidr is set, and only DHCP would name resolvers"]);
  if (!uplinkCidr) return faults;
  const wrong = {
    uplinkCidr: uplinkAddressFault(uplinkCidr, applianceCidr, gateway),
    uplinkGateway: gateway && gatewayFault(gateway, uplinkCidr),
  };
  return [...faults, ...set.flatMap((key): Wrong[] => (wrong[key] ? [[key, wrong[key]]] : []))];
}

/** What an upload needs. */
function uploadFaults(
  { upload, rehearse }: Partial<StackConfig>,
  values: Record<string, string>,
  env: NodeJS.ProcessEnv,
): Wrong[] {
  if (!upload) return [];
  const faults: Wrong[] = [];
  if (rehearse === false)
    faults.push(["upload", "only what was rehearsed is published, and rehearse is false"]);
  if (!values.bucket) faults.push(["bucket", "upload is true, and neither it nor IDRIVE_BUCKET is set"]);
  const half = halfKey(env);
  if (half) faults.push(["upload", `${half.set} is set in the environment, ${half.missing} is not`]);
  const stray = strayInKey(env);
  if (stray) faults.push(["upload", `${stray}: set it anew, without`]);
  if (!half && !hasCredentials(env))
    faults.push([
      "upload",
      "there is no key for the bucket: set IDRIVE_ACCESS_KEY and IDRIVE_SECRET_KEY in the environment, or AWS's",
    ]);
  return faults;
}

/** What only an offline stack has a use for. */
const offlineFaults = ({ offline, extraImages }: Partial<StackConfig>): Wrong[] =>
  extraImages?.length && offline === false
    ? [["extraImages", "they are served by an offline stack's appliance, and offline is false"]]
    : [];

/** What the operator's way in, which comes by the uplink and ends on the isolated link, does not go with. */
function wayInFaults({ operatorNetwork = [], uplink, applianceCidr: link }: Partial<StackConfig>): Wrong[] {
  const isolated = link && `${link.network}/${link.prefix}`;
  const here = isolated ? operatorNetwork.filter((each) => overlap(each, isolated)) : [];
  const faults = here.map((each): Wrong => [
    "operatorNetwork",
    `${each} overlaps the isolated link's ${isolated} (applianceCidr), and it is a network on the uplink's side: name narrower ones, or set applianceCidr to another network`,
  ]);
  return operatorNetwork.length > 0 && uplink === false
    ? [["operatorNetwork", "its hosts come in by the uplink, and uplink is false"], ...faults]
    : faults;
}

/** What single values cannot show. */
export const crossFaults = (
  config: Partial<StackConfig>,
  values: Record<string, string>,
  env: NodeJS.ProcessEnv,
): Wrong[] => [
  ...isoFaults(config),
  ...addressFaults(config),
  ...uplinkFaults(config, values),
  ...offlineFaults(config),
  ...wayInFaults(config),
  ...uploadFaults(config, values, env),
];

/** The sources, each with the key that tells its content. */
const SOURCES = { isoUrl: "isoSha256", baseUrl: "baseSha256" } as const;

/**
 * What is wrong with the queries of sources: each may be a signature or a token, and no part of what names the source.
 *
 * @param set what the stack's own config sets
 */
export function queryFaults(
  config: Partial<StackConfig>,
  set: Record<string, string>,
  shown: (key: string) => string | undefined,
): Fault[] {
  return (Object.keys(SOURCES) as (keyof typeof SOURCES)[]).flatMap((key) => {
    if (splitQuery(config[key] ?? "").query === "") return [];
    const digest = SOURCES[key];
    const inFile = {
      wrong:
        "what follows its question mark may be a token, which the stack's file and Pulumi's history would show",
      right: `unset here, and ${sourceVariable(key)} in the environment of the command`,
    };
    const untold = {
      wrong: `what follows its question mark does not count as its name, so ${digest} has to tell which file is meant`,
      right: `the same, with ${digest} set`,
    };
    return [...(key in set ? [inFile] : []), ...(config[digest] ? [] : [untold])].map((fault) => ({
      key,
      value: shown(key),
      ...fault,
    }));
  });
}
