import { UPLINK_LEASE } from "../../../rehearsal/network/gateway";
import { Link } from "../../../rehearsal/network/link";
import { arpReply, decode, ipBytes, macBytes, type Packet } from "../../../rehearsal/network/packets";
import { addressIn, outsideOf } from "../../../rehearsal/operators";
import { uplinkAddresses, type Site } from "../../../rehearsal/proofs";
import { onlyOperatorsGetIn } from "../../../rehearsal/way-in";

const MINIPC = { mac: "52:54:00:12:34:56", ip: "10.10.10.100" };
const APPLIANCE_IP = "10.10.10.2";
const [ISOLATED_NIC, UPLINK_NIC] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];
const DESK = "192.168.1.254";

/** The part of an appliance that sends packets on. */
interface Forwarder {
  /** Whether it has an address on the uplink. */
  isUp: boolean;
  /** What it sends on to the lease. */
  letsIn: (packet: Packet) => boolean;
  /** The address that the lease's answers have on the uplink. */
  answersFrom: string | undefined;
}

const isOpen = ({ ip, tcp }: Packet) =>
  ip?.from.startsWith("192.168.1.") && [50000, 6443].includes(tcp?.to ?? 0);
const GOOD: Forwarder = { isUp: true, letsIn: (packet) => isOpen(packet) === true, answersFrom: MINIPC.ip };

/** The same packet between other MACs, and under another address. */
function sentOn(frame: Buffer, from: string, to: string, address?: string): Buffer {
  const sent = Buffer.concat([macBytes(to), macBytes(from), frame.subarray(12)]);
  if (address) sent.set(ipBytes(address), 26);
  return sent;
}

async function proved(change: Partial<Forwarder> = {}, operatorNetworks?: string[]) {
  const forwarder = { ...GOOD, ...change };
  const [isolated, uplink] = [new Link("isolated", "unopened"), new Link("uplink", "unopened")];
  const answerArp = (link: Link, { arp, source }: Packet, mac: string, own: string) => {
    if (arp?.operation === 1 && arp.target === own)
      link.send(arpReply({ fromMac: mac, toMac: source, from: own, to: arp.ip }));
  };
  uplink.onFrame((frame) => {
    const packet = decode(frame);
    if (forwarder.isUp) answerArp(uplink, packet, UPLINK_NIC, UPLINK_LEASE);
    if (packet.destination === UPLINK_NIC && packet.ip?.to === MINIPC.ip && forwarder.letsIn(packet))
      isolated.send(sentOn(frame, ISOLATED_NIC, MINIPC.mac));
  });
  isolated.onFrame((frame) => {
    const packet = decode(frame);
    answerArp(isolated, packet, ISOLATED_NIC, APPLIANCE_IP);
    const { answersFrom } = forwarder;
    if (packet.source === MINIPC.mac && packet.tcp && answersFrom)
      uplink.send(sentOn(frame, UPLINK_NIC, "02:00:5e:00:53:31", answersFrom));
  });
  const site: Site = {
    ...{
      signal: new AbortController().signal,
      isolated,
      uplink,
      isolatedNic: ISOLATED_NIC,
      uplinkNic: UPLINK_NIC,
    },
    ...{ applianceIp: APPLIANCE_IP, applianceCidr: `${APPLIANCE_IP}/24`, secretPaths: [] },
    ...{
      minipcMac: MINIPC.mac,
      minipcIp: MINIPC.ip,
      operatorNetworks,
      ...uplinkAddresses({ operatorNetworks }),
    },
  };
  return onlyOperatorsGetIn(site);
}

const OPEN = ["192.168.1.0/24"];

test("an operator is answered on both ports, and nobody gets to another one", async () => {
  expect(await proved({}, OPEN)).toEqual([
    {
      id: "way-in",
      title: "only hosts of operatorNetwork get through, to ports 50000 and 6443 alone",
      held: true,
      evidence: `${DESK} on ports 50000, 6443: answered; 192.0.2.77, 198.51.100.7, ${DESK} elsewhere: nothing got through`,
    },
  ]);
});

test("without operators nobody gets through", async () => {
  const [proof] = await proved({ letsIn: () => false });
  expect(proof).toMatchObject({ held: true, title: "nobody on the uplink gets through to the mini-PC" });
  expect(proof?.evidence).toBe("192.0.2.77, 198.51.100.7: nothing got through");
});

test("an appliance without an address on the uplink proves nothing", async () => {
  expect(await proved({ isUp: false }, OPEN)).toEqual([]);
});

test.concurrent.each<[string, Partial<Forwarder>, string[] | undefined, RegExp]>([
  [
    "nothing is sent on",
    { letsIn: () => false },
    OPEN,
    /: not answered, 192\.168\.1\.254 port 50000, .* port 6443;/,
  ],
  [
    "one port is not sent on",
    { letsIn: (packet) => isOpen(packet) === true && packet.tcp?.to === 50000 },
    OPEN,
    /: not answered, 192\.168\.1\.254 port 6443;/,
  ],
  ["answers do not come back", { answersFrom: undefined }, OPEN, /: not answered, /],
  ["answers come back translated", { answersFrom: UPLINK_LEASE }, OPEN, /: not answered, /],
  [
    "a host outside gets through",
    { letsIn: ({ tcp }) => [50000, 6443].includes(tcp?.to ?? 0) },
    OPEN,
    /elsewhere: 192\.0\.2\.77 to 50000, 192\.0\.2\.77 to 6443, 198\.51\.100\.7 to 50000/,
  ],
  [
    "an operator gets to another port",
    { letsIn: ({ ip, tcp }) => ip?.from === DESK && tcp !== undefined },
    OPEN,
    /answered; .* elsewhere: 192\.168\.1\.254 to 22, /,
  ],
  [
    "an operator's datagrams get through, too",
    { letsIn: (packet) => isOpen(packet) === true || (packet.ip?.from === DESK && packet.udp?.to === 50000) },
    OPEN,
    /elsewhere: 192\.168\.1\.254 to UDP 50000$/,
  ],
  [
    "somebody gets through without operators",
    { letsIn: () => true },
    undefined,
    /^192\.0\.2\.77, .*: 192\.0\.2\.77 to 50000, /,
  ],
])("it is not proved where %s", async (_what, change, networks, evidence) => {
  const [proof] = await proved(change, networks);
  expect(proof?.held).toBe(false);
  expect(proof?.evidence).toMatch(evidence);
});

test.each<[network: string, taken: string[], address: string | undefined]>([
  ["192.168.1.0/24", [], "192.168.1.254"],
  ["192.168.1.0/24", ["192.168.1.254", "192.168.1.253"], "192.168.1.252"],
  ["192.168.1.4/30", ["192.168.1.6"], "192.168.1.5"],
  ["192.168.1.4/31", [], "192.168.1.5"],
  ["192.168.1.7/32", [], "192.168.1.7"],
  ["192.168.1.7/32", ["192.168.1.7"], undefined],
  ["10.0.0.0/8", [], "10.255.255.254"],
])("a host of %s, where others have %j, may have %s", (network, taken, address) => {
  expect(addressIn(network, taken)).toBe(address);
});

test("who is in one of the networks is not outside", () => {
  expect(outsideOf(["192.168.1.0/24", "10.0.0.0/8"], ["10.9.9.9", "192.168.2.1", "192.168.1.1"])).toEqual([
    "192.168.2.1",
  ]);
});
