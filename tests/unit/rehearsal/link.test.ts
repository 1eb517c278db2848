import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Link } from "../../../rehearsal/network/link";

const folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** As QEMU's stream netdev sends a frame: its length in four bytes before it. */
const framed = (frame: string) => Buffer.concat([Buffer.from([0, 0, 0, frame.length]), Buffer.from(frame)]);

async function machine(link: Link): Promise<Socket> {
  const socket = connect(link.path);
  await once(socket, "connect");
  return socket;
}

test("a frame goes to every other machine and to every listener, however its bytes are cut", async () => {
  const link = await new Link("isolated", join(folder, "cut.sock")).open();
  const heard: string[] = [];
  link.onFrame((frame) => heard.push(frame.toString()));
  const [one, other] = [await machine(link), await machine(link)];
  const told = text(other);
  const echoed = text(one);
  const has = async (socket: Socket, bytes: number) => {
    while (socket.bytesRead < bytes) await new Promise(setImmediate);
  };
  for (const byte of Buffer.concat([framed("first"), framed("second")])) {
    one.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  while (heard.length < 2) await new Promise(setImmediate);
  link.send(Buffer.from("third"));
  await has(one, framed("third").length);
  await has(
    other,
    ["first", "second", "third"].map(framed).reduce((sum, { length }) => sum + length, 0),
  );
  await link.close();
  expect(heard).toEqual(["first", "second", "third"]);
  expect(await told).toBe(Buffer.concat(["first", "second", "third"].map(framed)).toString());
  expect(await echoed).toBe(framed("third").toString());
});

test("a machine that ends in the middle of a frame does not disturb the others", async () => {
  const link = await new Link("uplink", join(folder, "end.sock")).open();
  const heard: string[] = [];
  link.onFrame((frame) => heard.push(frame.toString()));
  const [one, other] = [await machine(link), await machine(link)];
  one.write(framed("half").subarray(0, 6));
  one.destroy();
  await once(one, "close");
  other.write(framed("whole"));
  while (heard.length < 1) await new Promise(setImmediate);
  other.destroy();
  await link.close();
  expect(heard).toEqual(["whole"]);
});
