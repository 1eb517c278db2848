import fc from "fast-check";
import { dhcpReply, discover, readDhcp } from "../../../rehearsal/network/dhcp";
import { decode, udpFrame } from "../../../rehearsal/network/packets";

const MAC = "52:54:00:12:34:56";

test("a question of a UEFI firmware is distinguished from one of iPXE and of an operating system", () => {
  const question = discover(MAC);
  expect(readDhcp(question)).toEqual({ type: "discover", client: MAC, stage: "firmware", architecture: 7 });
  const ipxe = Buffer.concat([question.subarray(0, -1), Buffer.from([175, 1, 0, 255])]);
  expect(readDhcp(ipxe)).toMatchObject({ stage: "ipxe" });
  const system = Buffer.concat([question.subarray(0, 240), Buffer.from([53, 1, 3, 255])]);
  expect(readDhcp(system)).toMatchObject({ type: "request", stage: "system" });
});

test("an answer goes to the one who asked, and names the way out", () => {
  const server = "192.0.2.1";
  const lease = { address: "192.0.2.15", netmask: "255.255.255.0", server, router: server, dns: server };
  expect(readDhcp(dhcpReply(discover(MAC), "offer", lease))).toEqual({
    type: "offer",
    client: MAC,
    address: "192.0.2.15",
    server: "192.0.2.1",
    router: "192.0.2.1",
    dns: "192.0.2.1",
  });
});

test("a hostile answer routes single addresses to its server, by option 121", () => {
  const lease = {
    address: "192.0.2.15",
    netmask: "255.255.255.0",
    server: "192.0.2.1",
    routed: ["10.10.10.100"],
  };
  const routes = Buffer.from([121, 9, 32, 10, 10, 10, 100, 192, 0, 2, 1]);
  expect(dhcpReply(discover(MAC), "ack", lease).includes(routes)).toBe(true);
});

test("no bytes on a link make the reader fail", () => {
  const route = { fromMac: MAC, toMac: MAC, from: "10.0.0.1", to: "10.0.0.2" };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (bytes, cut) => {
      readDhcp(Buffer.from(bytes));
      decode(Buffer.from(bytes));
      const frame = udpFrame(route, 68, 67, Buffer.concat([discover(MAC), bytes]));
      decode(frame.subarray(0, Math.max(12, cut)));
      readDhcp(Buffer.concat([discover(MAC).subarray(0, 240), bytes]));
    }),
  );
});
