import { setTimeout as pause } from "node:timers/promises";
import { UPLINK_LEASE } from "../../../steps/rehearsal/network/gateway";
import { Link } from "../../../steps/rehearsal/network/link";
import {
  ACK,
  arpReply,
  decode,
  SYN,
  tcpFrame,
  udpFrame,
  type Packet,
} from "../../../steps/rehearsal/network/packets";
import { probe, strangersAddress, uplinkIsSilent, type Site } from "../../../steps/rehearsal/proofs";

describe("a stranger's address", () => {
  const on = (applianceCidr: string, minipcIp: string) =>
    strangersAddress({ applianceCidr, applianceIp: applianceCidr.split("/")[0], minipcIp } as Site);

  test("is nobody's: neither the appliance's, the lease, the network nor the broadcast", () => {
    expect(on("10.10.10.2/24", "10.10.10.100")).toBe("10.10.10.254");
    expect(on("10.10.10.254/24", "10.10.10.253")).toBe("10.10.10.252");
    expect(on("192.168.7.1/29", "192.168.7.6")).toBe("192.168.7.5");
  });

  test("is none in a subnet of two", () => {
    expect(on("192.168.7.1/30", "192.168.7.2")).toBeUndefined();
  });
});

test("the proofs of a rehearsal that is stopped end at once, and prove nothing", async () => {
  const stop = new AbortController();
  const asked: Packet[] = [];
  const isolated = new Link("isolated", "unopened");
  isolated.onFrame((frame) => {
    asked.push(decode(frame));
    stop.abort(new Error("stopped"));
  });
  const site: Site = {
    ...{ signal: stop.signal, isolated, isolatedNic: "02:00:00:00:00:01", uplinkNic: "", secretPaths: [] },
    ...{ applianceIp: "10.10.10.2", applianceCidr: "10.10.10.2/24" },
    ...{ minipcMac: "52:54:00:12:34:56", minipcIp: "10.10.10.100" },
  };
  await expect(probe(site)).rejects.toThrow("stopped");
  expect(asked).toHaveLength(1);
  await expect(probe(site)).rejects.toThrow("stopped");
});

describe("silence on the uplink", () => {
  /** An appliance in small: it answers by ARP and to any question, each link in its own order and time. */
  const makeSite = (answers: { uplink: boolean; isolated: boolean }, lease?: string, uplinkDelayMs = 0) => {
    const isolated = new Link("isolated", "unopened");
    const uplink = new Link("uplink", "unopened");
    const [isolatedNic, uplinkNic] = ["02:00:00:00:00:01", "02:00:00:00:00:02"];
    const serve = (link: Link, mac: string, own: string | undefined, isServing: boolean, delayMs: number) => {
      const answer = ({ source, destination, arp, ip, udp, tcp }: Packet) => {
        if (arp?.operation === 1 && arp.target === own)
          link.send(arpReply({ fromMac: mac, toMac: source, from: arp.target, to: arp.ip }));
        if (!isServing || !ip || destination !== mac) return;
        const route = { fromMac: mac, toMac: source, from: ip.to, to: ip.from };
        if (udp) link.send(udpFrame(route, udp.to, udp.from, Buffer.from("answer")));
        if (tcp) {
          const head = { fromPort: tcp.to, toPort: tcp.from, sequence: 1, acknowledged: 2, flags: SYN | ACK };
          link.send(tcpFrame(route, head));
        }
      };
      let queue = Promise.resolve();
      link.onFrame((frame) => {
        const packet = decode(frame);
        if (packet.source !== mac) queue = queue.then(() => pause(delayMs)).then(() => answer(packet));
      });
    };
    serve(isolated, isolatedNic, "10.10.10.2", answers.isolated, 0);
    serve(uplink, uplinkNic, lease, answers.uplink, uplinkDelayMs);
    const site: Site = {
      signal: new AbortController().signal,
      ...{ isolated, uplink, isolatedNic, uplinkNic, secretPaths: [] },
      ...{ applianceIp: "10.10.10.2", applianceCidr: "10.10.10.2/24" },
      ...{ minipcMac: "52:54:00:12:34:56", minipcIp: "10.10.10.100" },
    };
    return uplinkIsSilent(site, uplink);
  };

  test("holds where the lease alone is answered", async () => {
    expect(await makeSite({ uplink: false, isolated: true }, UPLINK_LEASE)).toMatchObject({
      held: true,
      evidence: "asked on the uplink: answered nothing; by the lease: answered HTTP, DNS, time, TFTP",
    });
  });

  test("is not taken for granted because the uplink is the slower of the two links", async () => {
    expect(await makeSite({ uplink: true, isolated: true }, UPLINK_LEASE, 100)).toMatchObject({
      held: false,
      evidence: expect.stringContaining("asked on the uplink: answered HTTP, DNS, time, TFTP;"),
    });
  });

  test("proves nothing where nobody is answered", async () => {
    const proof = await makeSite({ uplink: false, isolated: false }, UPLINK_LEASE);
    expect(proof).toMatchObject({ held: false, evidence: expect.stringMatching(/lease: answered nothing$/) });
  });

  test("proves nothing where the appliance has no address on the uplink", async () => {
    const proof = await makeSite({ uplink: true, isolated: true });
    expect(proof).toMatchObject({ held: false, evidence: expect.stringContaining("does not answer by ARP") });
  }, 30_000);
});
