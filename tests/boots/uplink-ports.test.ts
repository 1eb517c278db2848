import { HOME, UPLINK_LEASE } from "../../rehearsal/network/gateway";
import { decode, SYN, tcpFrame, udpFrame } from "../../rehearsal/network/packets";
import { Station } from "../../rehearsal/network/station";
import { uplinkAddresses } from "../../rehearsal/proofs";
import { NICS, type Stage } from "../../rehearsal/stage";
import { OPERATOR, operatorsOf } from "../../rehearsal/way-in";
import { renderServiceFiles } from "../../stack/templates";
import { demo } from "../e2e/demo";
import { Images } from "../e2e/images";
import { statusIsShown } from "./status";
import { expectTurns } from "./turns";

const images = new Images();
afterAll(() => images.remove());

const ALL_PORTS = Array.from({ length: 65535 }, (_, index) => index + 1);
/** Of services that a small server may have: DNS, DHCP, TFTP, time, NetBIOS, SNMP, IKE, RIP, SSDP, mDNS, LLMNR and more. */
const UDP_PORTS = [
  7, 53, 67, 69, 111, 123, 137, 138, 161, 443, 500, 514, 520, 546, 547, 1900, 4011, 4500, 5000, 5353, 5355,
  6443, 50000,
];
const NEIGHBOUR = { mac: "02:00:5e:00:53:03", ip: "192.0.2.77" };
const operatorNetworks = demo.operatorNetwork;
const DESK = {
  mac: OPERATOR,
  ip: operatorsOf({ operatorNetworks, ...uplinkAddresses({ operatorNetworks }) })[0] as string,
};
/** Frames that are sent at once, before the appliance has taken them in. */
const AT_ONCE = 2000;

/** Asks for every port, and says what came of it: what was sent to the host, and what went on to the lease. */
async function scan({ site, view }: Stage, host: { mac: string; ip: string }, addresses: string[]) {
  const uplink = site.uplink!;
  const [answers, forwarded] = [new Set<string>(), new Set<string>()];
  uplink.onFrame((frame) => {
    const { source, ip, tcp, udp } = decode(frame);
    if (source === NICS.uplink && ip?.to === host.ip)
      answers.add(`${ip.from} ${tcp?.from ?? udp?.from ?? "ICMP"}`);
  });
  site.isolated.onFrame((frame) => {
    const { source, ip, tcp, udp } = decode(frame);
    if (source === NICS.isolated && ip?.from === host.ip)
      forwarded.add(`${ip.to} ${tcp ? "TCP" : "UDP"} ${(tcp ?? udp)?.to}`);
  });
  const neighbour = new Station(site, uplink, NEIGHBOUR.mac, NEIGHBOUR.ip);
  const minipc = new Station(site, site.isolated, view.expected.minipcMac, view.expected.minipcIp);
  /** Until both links have taken in what was sent. */
  const settle = async () => {
    expect(await neighbour.meet(UPLINK_LEASE)).toBe(true);
    expect(await minipc.meet(site.applianceIp)).toBe(true);
  };
  for (const to of addresses) {
    const route = { fromMac: host.mac, toMac: NICS.uplink, from: host.ip, to };
    for (const [index, toPort] of ALL_PORTS.entries()) {
      uplink.send(tcpFrame(route, { fromPort: 40000, toPort, sequence: 1, acknowledged: 0, flags: SYN }));
      if (index % AT_ONCE === 0) await settle();
    }
    for (const port of UDP_PORTS) uplink.send(udpFrame(route, 40000, port, Buffer.alloc(48)));
    await settle();
  }
  return { answers: [...answers].sort(), forwarded: [...forwarded].sort() };
}

const everyAddress = ({ site }: Stage) => [UPLINK_LEASE, site.applianceIp, site.minipcIp];
const saidOf = (stage: Stage, words: RegExp) =>
  stage.view.seen.flatMap((what) => (what.kind === "line" && words.test(what.text) ? [what.text] : []));
const IS_UP = /^serving .*no resolver answers/;

test("the screen and the feed show to a stranger too that the appliance waits for the mini-PC; with operators two ports of the lease and the status page are reached from the uplink, by them alone, of all 65,535; the console has their route", async () => {
  const assembly = await images.make(() => undefined);
  await expectTurns(assembly, {
    lease: HOME,
    turns: [{ says: IS_UP }],
    async finally(stage) {
      // Before the scan asks in the mini-PC's name.
      await statusIsShown(stage);
      const lease = stage.site.minipcIp;
      expect(await scan(stage, NEIGHBOUR, everyAddress(stage))).toEqual({ answers: [], forwarded: [] });
      expect(await scan(stage, DESK, everyAddress(stage))).toEqual({
        answers: [`${UPLINK_LEASE} 80`],
        forwarded: [`${lease} TCP 50000`, `${lease} TCP 6443`],
      });
      expect(saidOf(stage, /way in|Linux:|macOS:|Windows:|status:/)).toEqual([
        `bootstrap-pxe: way in: hosts of 192.168.1.0/24 reach ports 50000 and 6443 of ${lease} by a route via ${UPLINK_LEASE}`,
        `bootstrap-pxe:   Linux:   sudo ip route add ${lease}/32 via ${UPLINK_LEASE}`,
        `bootstrap-pxe:   macOS:   sudo route -n add ${lease}/32 ${UPLINK_LEASE}`,
        `bootstrap-pxe:   Windows: route ADD ${lease} MASK 255.255.255.255 ${UPLINK_LEASE}`,
        `bootstrap-pxe:   status:  http://${UPLINK_LEASE}/`,
      ]);
    },
  });
});

test("without operators no port of the lease or of the appliance is reached from the uplink, of all 65,535", async () => {
  const assembly = await images.make((each) => {
    const closed = renderServiceFiles({ ...demo, operatorNetwork: [] });
    each.files = { ...each.files, ...closed };
  });
  await expectTurns(assembly, {
    lease: HOME,
    turns: [{ says: IS_UP }],
    async finally(stage) {
      for (const host of [NEIGHBOUR, DESK])
        expect(await scan(stage, host, everyAddress(stage))).toEqual({ answers: [], forwarded: [] });
      expect(saidOf(stage, /way in/)).toEqual([]);
    },
  });
});
