import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Capture, keptBytes } from "../../../rehearsal/network/capture";
import { Link } from "../../../rehearsal/network/link";
import { ACK, tcpFrame, udpFrame } from "../../../rehearsal/network/packets";
import { framesIn } from "./pcap";

const route = { fromMac: "02:00:00:00:00:01", toMac: "02:00:00:00:00:02", from: "10.0.0.1", to: "10.0.0.2" };
const head = { fromPort: 80, toPort: 40000, sequence: 1, acknowledged: 1, flags: ACK };
const kept = (frame: Buffer) => frame.subarray(0, keptBytes(frame)).toString("latin1");

test("no byte of a body is kept, wherever it is cut", () => {
  const secret = fc.string({ minLength: 1, maxLength: 60, unit: fc.constantFrom("s", "e", "\n", "\r", ":") });
  fc.assert(
    fc.property(secret, (body) => {
      const marked = `SECRET${body}`;
      expect(kept(tcpFrame(route, head, Buffer.from(marked)))).not.toContain("SECRET");
      const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${marked.length}\r\n\r\n`;
      const whole = kept(tcpFrame(route, head, Buffer.from(answer + marked)));
      expect(whole).not.toContain("SECRET");
      expect(whole).toContain("HTTP/1.1 200 OK");
    }),
  );
});

test("a head that is not whole is left out, since what follows it may be anything", () => {
  expect(kept(tcpFrame(route, head, Buffer.from("HTTP/1.1 200 OK\r\nX: SECRET")))).not.toContain("SECRET");
});

test("DHCP is kept whole, TFTP's data is not", () => {
  const payload = Buffer.alloc(500, "x");
  expect(keptBytes(udpFrame(route, 67, 68, payload))).toBe(542);
  expect(keptBytes(udpFrame(route, 50000, 40000, payload))).toBe(96);
});

test("the capture has every frame in order, and the length that each one had", async () => {
  const folder = mkdtempSync(join(tmpdir(), "capture-"));
  try {
    const link = new Link("isolated", "unopened");
    const capture = new Capture(link, join(folder, "isolated.pcap"), (fault) => {
      throw fault;
    });
    const question = udpFrame(route, 68, 67, Buffer.alloc(300, "q"));
    const answer = tcpFrame(route, head, Buffer.from("HTTP/1.1 200 OK\r\n\r\nSECRET"));
    for (const frame of [question, answer, question]) link.send(frame);
    await capture.close();
    expect(framesIn(join(folder, "isolated.pcap"))).toEqual(
      [question, answer, question].map((frame) => ({
        kept: frame.subarray(0, keptBytes(frame)),
        bytes: frame.length,
      })),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
