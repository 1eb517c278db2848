import { setTimeout as pause } from "node:timers/promises";
import { dhcpReply, readDhcp } from "../../../rehearsal/network/dhcp";
import { UPLINK_LEASE } from "../../../rehearsal/network/gateway";
import { Link } from "../../../rehearsal/network/link";
import {
  ACK,
  arpReply,
  BROADCAST,
  decode,
  SYN,
  tcpFrame,
  udpFrame,
  type Packet,
} from "../../../rehearsal/network/packets";
import {
  askForAddresses,
  hearOffers,
  leaseIsAnswered,
  probe,
  strangersAddress,
  uplinkAddresses,
  uplinkIsSilent,
  type Site,
} from "../../../rehearsal/proofs";

const MINIPC = { mac: "52:54:00:12:34:56", ip: "10.10.10.100" };
const APPLIANCE_IP = "10.10.10.2";
const [ISOLATED_NIC, UPLINK_NIC] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];
const CONFIG = "/configs/minipc.yaml";

interface Host {
  mac: string;
  ip: string;
}
const isLease = ({ mac, ip }: Host) => mac === MINIPC.mac && ip === MINIPC.ip;
const isThief = ({ mac, ip }: Host) => mac !== MINIPC.mac && ip === MINIPC.ip;

/** An appliance in small. It answers each link in its own order and time. */
interface Appliance {
  /** What it was leased on the uplink. */
  uplinkAddress?: string;
  uplinkDelayMs: number;
  /** MACs that it offers an address on its own link. */
  offersTo: (mac: string) => boolean;
  offersOnUplink: boolean;
  /** Hosts of its own link whose questions it answers. */
  answers: (host: Host) => boolean;
  /** Addresses of its own that it answers on the uplink. */
  answersOnUplink: string[];
  /** Addresses of its own beside the leased one that it answers for by ARP there. */
  claimsOnUplink: string[];
  statusOf: (path: string, host: Host) => number;
  /** What a packet to the world leaves under, if it leaves. */
  leavesFrom: (host: Host) => string | undefined;
}

const GOOD: Appliance = {
  uplinkAddress: UPLINK_LEASE,
  uplinkDelayMs: 0,
  offersTo: (mac) => mac === MINIPC.mac,
  offersOnUplink: false,
  answers: (host) => !isThief(host),
  answersOnUplink: [],
  claimsOnUplink: [],
  statusOf: (path, host) => (path === CONFIG && !isLease(host) ? 403 : 200),
  leavesFrom: (host) => (isLease(host) ? UPLINK_LEASE : undefined),
};

function makeSite(change: Partial<Appliance> = {}, signal = new AbortController().signal) {
  const appliance = { ...GOOD, ...change };
  const isolated = new Link("isolated", "unopened");
  const uplink = new Link("uplink", "unopened");

  function serve(link: Link, mac: string, own: () => (string | undefined)[], delayMs: number) {
    const isIsolated = link === isolated;
    const answer = ({ source, destination, arp, ip, udp, tcp }: Packet) => {
      if (arp?.operation === 1 && own().includes(arp.target))
        link.send(arpReply({ fromMac: mac, toMac: source, from: arp.target, to: arp.ip }));
      if (!ip || (destination !== mac && destination !== BROADCAST)) return;
      const host = { mac: source, ip: ip.from };
      const route = { fromMac: mac, toMac: source, from: ip.to, to: ip.from };
      const question = udp?.to === 67 ? readDhcp(udp.payload) : undefined;
      if (udp && question) {
        if (!(isIsolated ? appliance.offersTo(question.client) : appliance.offersOnUplink)) return;
        const offer = { address: MINIPC.ip, server: APPLIANCE_IP, netmask: "255.255.255.0" };
        link.send(udpFrame(route, 67, 68, dhcpReply(udp.payload, "offer", offer)));
      } else if (udp && isIsolated && ip.to !== APPLIANCE_IP) {
        const from = appliance.leavesFrom(host);
        const out = { fromMac: UPLINK_NIC, toMac: BROADCAST, to: ip.to };
        if (from) uplink.send(udpFrame({ ...out, from }, udp.from, udp.to, udp.payload));
      } else if (isIsolated ? appliance.answers(host) : appliance.answersOnUplink.includes(ip.to)) {
        if (udp) link.send(udpFrame(route, udp.to, udp.from, Buffer.from("answer")));
        if (!tcp) return;
        const head = { fromPort: tcp.to, toPort: tcp.from, sequence: 1, acknowledged: 2, flags: SYN | ACK };
        const path = /^GET (\S+)/.exec(tcp.payload.toString())?.[1];
        if (tcp.flags & SYN) link.send(tcpFrame(route, head));
        else if (path !== undefined) {
          const status = Buffer.from(`HTTP/1.1 ${appliance.statusOf(path, host)} Whatever\r\n\r\n`);
          link.send(tcpFrame(route, { ...head, sequence: 2, flags: ACK }, status));
        }
      }
    };
    let queue = Promise.resolve();
    link.onFrame((frame) => {
      const packet = decode(frame);
      if (packet.source !== mac) queue = queue.then(() => pause(delayMs)).then(() => answer(packet));
    });
  }
  serve(isolated, ISOLATED_NIC, () => [APPLIANCE_IP], 0);
  const onUplink = () => [appliance.uplinkAddress, ...appliance.claimsOnUplink];
  serve(uplink, UPLINK_NIC, onUplink, appliance.uplinkDelayMs);
  const site: Site = {
    ...{ signal, isolated, uplink, isolatedNic: ISOLATED_NIC, uplinkNic: UPLINK_NIC },
    ...{ applianceIp: APPLIANCE_IP, applianceCidr: `${APPLIANCE_IP}/24`, secretPaths: [CONFIG] },
    ...{ minipcMac: MINIPC.mac, minipcIp: MINIPC.ip, ...uplinkAddresses({}) },
  };
  return { site, uplink, appliance };
}

describe("a stranger's address", () => {
  const on = (applianceCidr: string, minipcIp: string) =>
    strangersAddress({ applianceCidr, applianceIp: applianceCidr.split("/")[0], minipcIp } as Site);

  test("belongs to nobody: it is not the appliance's, the lease, the network or the broadcast address", () => {
    expect(on("10.10.10.2/24", "10.10.10.100")).toBe("10.10.10.254");
    expect(on("10.10.10.254/24", "10.10.10.253")).toBe("10.10.10.252");
    expect(on("192.168.7.1/29", "192.168.7.6")).toBe("192.168.7.5");
  });

  test("does not exist in a subnet of two", () => {
    expect(on("192.168.7.1/30", "192.168.7.2")).toBeUndefined();
  });
});

test.each([
  ["192.168.1.5/24", "192.168.1.1", "192.168.1.254"],
  ["192.168.1.254/24", "192.168.1.253", "192.168.1.252"],
  ["192.168.1.1/30", "192.168.1.2", "192.0.2.77"],
])("on a fixed uplink %s by %s, another host has %s", (cidr, gateway, uplinkNeighbour) => {
  expect(uplinkAddresses({ fixedUplink: { cidr, gateway } })).toEqual({
    uplinkAddress: cidr.split("/")[0],
    uplinkGateway: gateway,
    uplinkNeighbour,
  });
});

test("the lease is answered by every service, though each answers another of its questions, as on a slow host", async () => {
  const { site } = makeSite({ answers: () => false });
  const [ports, asked] = [[80, 53, 123, 69], [] as number[]];
  site.isolated.onFrame((frame) => {
    const { source, ip, udp, tcp } = decode(frame);
    const { from, to: port } = udp ?? tcp ?? { from: 0, to: 0 };
    if (source !== MINIPC.mac || !ip || !ports.includes(port)) return;
    asked.push(port);
    const tries = asked.filter((each) => each === port).length;
    if (ports[tries - 1] !== port) return;
    const route = { fromMac: ISOLATED_NIC, toMac: source, from: ip.to, to: ip.from };
    const head = { fromPort: port, toPort: from, sequence: 1, acknowledged: 2, flags: SYN | ACK };
    site.isolated.send(tcp ? tcpFrame(route, head) : udpFrame(route, port, from, Buffer.from("answer")));
  });
  expect(await leaseIsAnswered(site)).toEqual(["HTTP", "DNS", "time", "TFTP"]);
});

describe("the proofs", () => {
  const proved = async (change: Partial<Appliance>) => {
    const { site } = makeSite(change);
    const offers = hearOffers(site);
    askForAddresses(site);
    return probe(site, offers);
  };
  const NOBODY = /The lease is not answered either/;

  test("hold against an appliance that answers only the lease, each beside the lease's own answer", async () => {
    expect((await proved({})).map(({ id, held, evidence }) => [id, held, evidence])).toEqual([
      [
        "other-mac",
        true,
        "02:00:5e:00:53:01 asked on the isolated link and was offered nothing; the lease was offered 10.10.10.100",
      ],
      [
        "uplink-dhcp",
        true,
        "02:00:5e:00:53:03 asked on the uplink; the appliance offered nothing; the lease was offered 10.10.10.100",
      ],
      [
        "pinned",
        true,
        "10.10.10.254 gets /boot.ipxe 200, /configs/minipc.yaml 403; 10.10.10.100 under another MAC: answered nothing",
      ],
      [
        "uplink-silent",
        true,
        "asked on the uplink: answered nothing; by the lease: answered HTTP, DNS, time, TFTP",
      ],
      [
        "way-out",
        true,
        "packets to 198.51.100.7: the lease's left from 192.0.2.15, a stranger's did not leave",
      ],
    ]);
  });

  interface Broken {
    change: Partial<Appliance>;
    proofs: string[];
    /** Of the first of them. */
    evidence: RegExp;
    look?: RegExp;
  }
  const BROKEN: Record<string, Broken> = {
    "another MAC is offered an address": {
      change: { offersTo: () => true },
      proofs: ["other-mac"],
      evidence: /was offered 10\.10\.10\.100; the lease was offered/,
    },
    "not even the lease is offered one": {
      change: { offersTo: () => false },
      proofs: ["other-mac", "uplink-dhcp"],
      evidence: /the lease was offered nothing/,
      look: NOBODY,
    },
    "an address is offered on the uplink": {
      change: { offersOnUplink: true },
      proofs: ["uplink-dhcp"],
      evidence: /the appliance offered 10\.10\.10\.100/,
    },
    "the uplink never came up": {
      change: { uplinkAddress: undefined },
      proofs: ["uplink-dhcp"],
      evidence: /does not answer by ARP/,
      look: /files\/netplan\.yaml/,
    },
    "another address gets the config": {
      change: { statusOf: () => 200 },
      proofs: ["pinned"],
      evidence: /10\.10\.10\.254 gets .*minipc\.yaml 200/,
    },
    "another address gets nothing at all": {
      change: { statusOf: (_path, host) => (isLease(host) ? 200 : 404) },
      proofs: ["pinned"],
      evidence: /boot\.ipxe 404/,
    },
    "the lease's address is answered under another MAC": {
      change: { answers: () => true },
      proofs: ["pinned"],
      evidence: /under another MAC: answered HTTP, DNS, time, TFTP/,
    },
    "the lease's address is answered under another MAC, and no longer under its own": {
      change: { answers: (host) => !isLease(host), offersTo: (mac) => mac !== MINIPC.mac },
      proofs: ["other-mac", "uplink-dhcp", "pinned", "uplink-silent"],
      evidence: /was offered 10\.10\.10\.100; the lease was offered nothing/,
      look: /^$/,
    },
    "the services answer on the uplink, to the address there": {
      change: { answersOnUplink: [UPLINK_LEASE] },
      proofs: ["uplink-silent"],
      evidence: /asked on the uplink: answered HTTP, DNS, time, TFTP;/,
    },
    "the isolated address is answered for on the uplink": {
      change: { claimsOnUplink: [APPLIANCE_IP] },
      proofs: ["uplink-silent"],
      evidence: /asked on the uplink: answered ARP for 10\.10\.10\.2;/,
    },
    "a stranger gets out beside the lease": {
      change: { leavesFrom: () => UPLINK_LEASE },
      proofs: ["way-out"],
      evidence: /a stranger's left from 192\.0\.2\.15/,
    },
    "a stranger gets out and the lease does not": {
      change: { leavesFrom: (host) => (isLease(host) ? undefined : UPLINK_LEASE) },
      proofs: ["way-out"],
      evidence: /the lease's did not leave, a stranger's left from 192\.0\.2\.15/,
    },
    "the lease gets out under its own address": {
      change: { leavesFrom: (host) => (isLease(host) ? MINIPC.ip : undefined) },
      proofs: ["way-out"],
      evidence: /the lease's left from 10\.10\.10\.100/,
    },
  };
  // Each asks a site of its own, and waits for seconds for what does not come.
  test.concurrent.each(Object.entries(BROKEN))(
    "do not hold where %s",
    async (_what, { change, proofs, evidence, look }) => {
      const broken = (await proved(change)).filter(({ held }) => !held);
      expect(broken.map(({ id }) => id)).toEqual(proofs);
      expect(broken[0]?.evidence).toMatch(evidence);
      if (look) expect(broken[0]?.look ?? "").toMatch(look);
    },
  );

  test("ask on the uplink again once it is up", async () => {
    const { site, appliance } = makeSite({ offersOnUplink: false });
    const offers = hearOffers(site);
    askForAddresses(site);
    await pause(50);
    appliance.offersOnUplink = true;
    const proofs = await probe(site, offers);
    expect(proofs.filter(({ held }) => !held).map(({ id }) => id)).toEqual(["uplink-dhcp"]);
  });

  test("end at once with a rehearsal that is stopped, and prove nothing", async () => {
    const stop = new AbortController();
    const { site } = makeSite({}, stop.signal);
    const asked: Packet[] = [];
    site.isolated.onFrame((frame) => {
      asked.push(decode(frame));
      stop.abort(new Error("stopped"));
    });
    site.uplink = undefined;
    const offers = hearOffers(site);
    await expect(probe(site, offers)).rejects.toThrow("stopped");
    const before = asked.length;
    await expect(probe(site, offers)).rejects.toThrow("stopped");
    expect(asked.length - before).toBeLessThanOrEqual(3);
  });
});

describe("silence on the uplink", () => {
  const silence = (change: Partial<Appliance>) => {
    const { site, uplink } = makeSite(change);
    return uplinkIsSilent(site, uplink);
  };

  test.concurrent("is not taken for granted because the uplink is the slower of the two links", async () => {
    const { held, evidence } = await silence({ answersOnUplink: [APPLIANCE_IP], uplinkDelayMs: 100 });
    expect(held).toBe(false);
    expect(evidence).toContain("asked on the uplink: answered HTTP, DNS, time, TFTP;");
  });

  test.concurrent("proves nothing where the appliance has no address on the uplink", async () => {
    const { held, evidence } = await silence({
      uplinkAddress: undefined,
      answersOnUplink: [APPLIANCE_IP],
    });
    expect(held).toBe(false);
    expect(evidence).toContain("does not answer by ARP");
  });

  test.concurrent("proves nothing where no one is answered at all", async () => {
    const { held, evidence } = await silence({ answers: () => false });
    expect(held).toBe(false);
    expect(evidence).toMatch(/lease: answered nothing$/);
  });
});
