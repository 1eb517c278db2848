import * as z from "zod";
import { mirrorOf } from "./hosts";
import { count, flag, part, text, texts } from "./lenient";
import { LOOPBACK, USUAL_METRIC } from "./nics";
import type { LinkEntry, Reading } from "./node-config";

const Selector = z.object({
  hardwareAddr: text,
  permanentAddr: text,
  busPath: text,
  pciID: text,
  driver: text,
  physical: flag,
});
const Route = z.object({ network: text, gateway: text, metric: count });
const Vip = part(z.object({ ip: text }));
const Dhcp = {
  addresses: texts,
  cidr: text,
  routes: part(z.array(Route)),
  dhcp: flag,
  dhcpOptions: part(z.object({ ipv4: flag, routeMetric: count })),
  vip: Vip,
};
const Device = z.object({
  ...Dhcp,
  interface: text,
  deviceSelector: part(Selector),
  bond: part(z.object({ interfaces: texts, deviceSelectors: part(z.array(Selector)) })),
  bridge: part(z.object({ interfaces: texts })),
  bridgePort: part(z.object({ master: text })),
  vlans: part(z.array(z.object({ ...Dhcp, vlanId: z.number().optional() }))),
  ignore: flag,
  dummy: flag,
  wireguard: part(z.object({})),
});

/** The sections of a v1alpha1 config that matter here (pkg/machinery, config/types/v1alpha1/v1alpha1_types.go). */
const V1Alpha1 = z.object({
  machine: z.object({
    type: text,
    ca: part(z.object({ crt: text })),
    install: part(z.object({ image: text, disk: text, diskSelector: part(z.looseObject({})) })),
    network: part(
      z.object({
        interfaces: part(z.array(Device)),
        nameservers: texts,
        searchDomains: texts,
        extraHostEntries: part(z.array(z.object({ ip: text, aliases: texts }))),
      }),
    ),
    time: part(z.object({ disabled: flag, servers: texts })),
    env: part(z.looseObject({})),
    registries: part(z.object({ mirrors: part(z.record(z.string(), part(z.object({ endpoints: texts })))) })),
  }),
  cluster: part(z.object({ clusterName: text, controlPlane: part(z.object({ endpoint: text })) })),
});

type DhcpPart = Pick<z.output<typeof Device>, keyof typeof Dhcp>;

/** A default route has no network, or all of them. */
const gatewaysOf = (routes: DhcpPart["routes"]) =>
  (routes ?? []).flatMap(({ network, gateway, metric }) =>
    gateway && (!network || network === "0.0.0.0/0")
      ? { address: gateway, metric: metric || USUAL_METRIC }
      : [],
  );

const addressing = ({ addresses, cidr, routes, dhcp, dhcpOptions }: DhcpPart) => ({
  dhcp: dhcp === true && dhcpOptions?.ipv4 !== false,
  dhcpMetric: dhcpOptions?.routeMetric || USUAL_METRIC,
  addresses: [...(addresses ?? []), ...(cidr ? [cidr] : [])],
  gateways: gatewaysOf(routes),
});

function entriesOf(device: z.output<typeof Device>, index: number): LinkEntry[] {
  const where = `machine.network.interfaces[${index}]`;
  const { interface: name = "", deviceSelector: selector, bond, bridge } = device;
  const choice = selector ? { selector } : { name };
  const kind = bond
    ? "bond"
    : bridge
      ? "bridge"
      : device.dummy || device.wireguard || name === LOOPBACK
        ? "virtual"
        : "nic";
  const members = [...(bond?.interfaces ?? []), ...(bridge?.interfaces ?? [])].map((each) => ({
    name: each,
  }));
  const selected = (bond?.deviceSelectors ?? []).map((each) => ({ selector: each }));
  const own: LinkEntry = {
    where,
    kind,
    choice,
    members: [...members, ...selected],
    master: device.bridgePort?.master,
    ...addressing(device),
    ignore: device.ignore === true,
    up: true,
  };
  const vlans = (device.vlans ?? []).map((vlan): LinkEntry => ({
    where: `${where}.vlans`,
    kind: "vlan",
    choice: { name: `${name}.${vlan.vlanId}` },
    members: [choice],
    ...addressing(vlan),
    ignore: false,
    up: true,
  }));
  return [own, ...vlans];
}

/** What the v1alpha1 sections of a config say; undefined when it has no machine. */
export function readSections(documents: unknown[]): Reading | undefined {
  const parsed = documents.map((each) => V1Alpha1.safeParse(each)).find(({ success }) => success)?.data;
  if (!parsed) return undefined;
  const { machine, cluster } = parsed;
  const { network, install, time } = machine;
  const devices = network?.interfaces ?? [];
  const { image = "", disk = "", diskSelector } = install ?? {};
  return {
    ca: machine.ca?.crt,
    machineType: machine.type,
    clusterName: cluster?.clusterName,
    endpoint: cluster?.controlPlane?.endpoint,
    install: {
      isAsked: Boolean(install),
      image,
      disk,
      diskSelector: diskSelector ? JSON.stringify(diskSelector) : "",
      byDocument: false,
    },
    links: devices.flatMap(entriesOf),
    vips: devices.flatMap(({ vip, vlans }) =>
      [vip, ...(vlans ?? []).map((vlan) => vlan.vip)].flatMap((each) => each?.ip ?? []),
    ),
    timeServers: time?.servers?.length ? time.servers : undefined,
    keepsTime: time?.disabled ? false : undefined,
    resolvers: network?.nameservers?.length ? network.nameservers : undefined,
    searchDomains: network?.searchDomains ?? undefined,
    hosts: (network?.extraHostEntries ?? []).map(({ ip = "", aliases }) => ({
      address: ip,
      names: aliases ?? [],
    })),
    environment: Object.entries(machine.env ?? {}),
    mirrors: Object.entries(machine.registries?.mirrors ?? {}).map(([registry, mirror]) =>
      mirrorOf(registry, mirror?.endpoints ?? []),
    ),
  };
}
