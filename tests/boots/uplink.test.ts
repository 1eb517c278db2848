import { mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { chooseAccelerator } from "../../steps/lib/accelerator";
import { makeScratch } from "../../steps/lib/scratch.cjs";
import { HARDWARE } from "../../steps/rehearsal/hardware";
import type { Lease } from "../../steps/rehearsal/network/dhcp";
import { attachGateway, HOME } from "../../steps/rehearsal/network/gateway";
import { decode, udpFrame } from "../../steps/rehearsal/network/packets";
import { Station, until } from "../../steps/rehearsal/network/station";
import type { Hardware } from "../../steps/rehearsal/record";
import { Stage } from "../../steps/rehearsal/stage";
import { LIMIT_MS, subjectOf } from "../e2e/boot";
import { demo } from "../e2e/demo";
import { Images } from "../e2e/images";

const images = new Images();
afterAll(() => images.remove());
const image = images.make(() => undefined);

/** Longest wait for a line, on a slow machine without an accelerator: a boot and the search for NICs. */
const TURN_MS = 300_000;
const SERVING = `^serving ${demo.minipcMac} -> 10\\.10\\.10\\.100 on isolated \\(ISOLATED\\), Talos \\S+, version demo`;
const serving = (nic: string, lacks: string) => new RegExp(SERVING.replace("ISOLATED", nic) + lacks);
const [NIC, UPLINK_NIC] = ["02:00:5e:00:53:11", "02:00:5e:00:53:12"];
const NO_UPLINK =
  "; no uplink address, since no DHCP server gives one there, so no DNS and no way out; clock unsynchronised";

/** What happens, and what the appliance's console says then. */
type Turn = { happens?: (stage: Stage) => void; says: RegExp };

interface Network {
  /** What the uplink's DHCP server gives from the start; unset, it is silent. */
  lease?: Lease;
  hardware?: Partial<Hardware>;
  /** One NIC, on the isolated link. */
  hasUplink?: false;
  turns: Turn[];
  /** The mini-PC is answered at the end. */
  answersMinipc?: true;
}

const leases =
  (lease: Lease) =>
  (stage: Stage): void => {
    stage.uplinkLease = lease;
  };
/** Seconds from NTP's epoch, 1900, to that of Unix (RFC 5905). */
const NTP_TO_UNIX = 2_208_988_800;

/** Answers for names and for the time on the uplink, as the world behind a router does. */
function answersNamesAndTime({ site }: Stage): void {
  const { uplink } = site;
  uplink?.onFrame((frame) => {
    const { source, destination, ip, udp } = decode(frame);
    if (source !== site.uplinkNic && source !== site.isolatedNic) return;
    const answer =
      udp && (udp.to === 53 ? named(udp.payload) : udp.to === 123 ? timed(udp.payload) : undefined);
    if (!ip || !udp || !answer) return;
    const route = { fromMac: destination, toMac: source, from: ip.to, to: ip.from };
    uplink.send(udpFrame(route, udp.to, udp.from, answer));
  });
}

/** One address for any name (RFC 1035). */
function named(question: Buffer): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const wantsAddress = question.readUInt16BE(end - 4) === 1;
  const head = Buffer.from([
    question[0] ?? 0,
    question[1] ?? 0,
    0x81,
    0x80,
    0,
    1,
    0,
    wantsAddress ? 1 : 0,
    0,
    0,
    0,
    0,
  ]);
  const address = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1];
  return Buffer.concat([head, question.subarray(12, end), Buffer.from(wantsAddress ? address : [])]);
}

/** The right time, of stratum 1. */
function timed(question: Buffer): Buffer {
  const answer = Buffer.alloc(48);
  answer.set([0x24, 1, question[2] ?? 6, 0xec]);
  answer.write("TEST", 12, "latin1");
  question.copy(answer, 24, 40, 48);
  const now = Date.now() / 1000 + NTP_TO_UNIX;
  for (const at of [16, 32, 40]) {
    answer.writeUInt32BE(Math.floor(now), at);
    answer.writeUInt32BE(Math.floor((now % 1) * 2 ** 32), at + 4);
  }
  return answer;
}

/** A DHCP server on the isolated link too. */
const answersOnIsolated = ({ site }: Stage) => attachGateway(site.isolated, () => HOME);
const on = (address: string, router = "10.10.10.1"): Lease => ({
  ...{ address, router, server: router, dns: router },
  netmask: "255.255.255.0",
});

const NETWORKS: Record<string, Network> = {
  "NICs swapped while the uplink's router still starts, and a clock of 2011": {
    hardware: { swapped: true, clock: "2011-01-01T00:00:00" },
    turns: [
      { says: serving(UPLINK_NIC, `${NO_UPLINK} \\(20(2[6-9]|[3-9]\\d)-`) },
      {
        happens: leases(HOME),
        says: new RegExp(
          `^NOT serving: a DHCP server answers on the NIC taken for the isolated one \\(${UPLINK_NIC}\\)`,
        ),
      },
      {
        says: serving(NIC, "; no DNS, since no resolver answers \\(192\\.0\\.2\\.1\\); clock unsynchronised"),
      },
    ],
  },
  "one NIC, on which a DHCP server comes up later": {
    hasUplink: false,
    turns: [
      {
        says: serving(NIC, "; no second NIC for the uplink, so no DNS and no way out; clock unsynchronised"),
      },
      { happens: answersOnIsolated, says: /^NOT serving: a DHCP server answers on the NIC taken/ },
      {
        says: new RegExp(
          `^NOT serving: a DHCP server answers on every NIC \\(${NIC}\\): none is the isolated link`,
        ),
      },
    ],
  },
  "a DHCP server of the uplink that names the mini-PC's address as router and resolver, and routes it": {
    lease: { ...HOME, router: demo.minipcIp, dns: demo.minipcIp, routed: [demo.minipcIp] },
    turns: [{ says: serving(NIC, "; no DNS, since no resolver answers .*; clock unsynchronised") }],
    answersMinipc: true,
  },
  "the uplink on the isolated link's network": {
    lease: on("10.10.10.57"),
    turns: [
      {
        says: /^NOT serving: the uplink's network 10\.10\.10\.0\/24 overlaps the isolated link's 10\.10\.10\.0\/24/,
      },
    ],
  },
  "the mini-PC's own address leased to the appliance": {
    lease: on("10.10.10.100"),
    turns: [{ says: /^NOT serving: .* leased 10\.10\.10\.100 there, the mini-PC's own address/ }],
  },
  "an uplink whose router comes up late and knows the time, and a clock of 2040": {
    hardware: { clock: "2040-01-01T00:00:00" },
    turns: [
      { says: serving(NIC, `${NO_UPLINK} \\(2040-`) },
      {
        happens(stage) {
          leases(HOME)(stage);
          answersNamesAndTime(stage);
        },
        says: serving(NIC, "$"),
      },
    ],
  },
};

test.each(Object.entries(NETWORKS))(
  "the console with %s",
  async (_what, { lease, hardware, hasUplink = true, turns, answersMinipc }) => {
    const assembly = await image;
    const scratch = makeScratch("rehearse");
    const context = { signal: AbortSignal.timeout(LIMIT_MS), scratch, log: () => undefined };
    const subject = { ...(await subjectOf(assembly)), hasUplink };
    const accelerator = await chooseAccelerator(context, "auto");
    const folder = mkdtempSync(join(dirname(assembly.path), "evidence-"));
    const stage = await new Stage("", subject, accelerator, folder, scratch, context.signal).open();
    stage.uplinkLease = lease;
    try {
      stage.startAppliance({ ...HARDWARE.appliance, ...hardware });
      const verdicts = () =>
        stage.view.seen.flatMap((what) => {
          const said = what.kind === "line" && /^bootstrap-pxe: ((?:NOT )?serving.*)/.exec(what.text)?.[1];
          return said ? [said] : [];
        });
      let before = 0;
      for (const { happens, says } of turns) {
        happens?.(stage);
        const at = () => verdicts().findIndex((line, index) => index >= before && says.test(line));
        await until(context.signal, () => at() >= 0 || undefined, TURN_MS);
        expect(verdicts().slice(before)).toContainEqual(expect.stringMatching(says));
        before = at() + 1;
      }
      if (answersMinipc) {
        const { isolated, applianceIp } = stage.site;
        const minipc = new Station(context.signal, isolated, demo.minipcMac, demo.minipcIp, NIC);
        expect(await minipc.get(applianceIp, "/boot.ipxe")).toBe(200);
      }
    } finally {
      await stage.clear();
      rmSync(scratch, { recursive: true, force: true });
    }
  },
);
