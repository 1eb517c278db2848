import { decode, udpFrame } from "../../rehearsal/network/packets";
import type { Stage } from "../../rehearsal/stage";

/** Seconds from NTP's epoch, 1900, to that of Unix (RFC 5905). */
const NTP_TO_UNIX = 2_208_988_800;

/** Answers for names and for the time on the uplink, as the world behind a router does. */
export function answersNamesAndTime({ site }: Stage): void {
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
