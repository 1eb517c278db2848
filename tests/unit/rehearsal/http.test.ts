import fc from "fast-check";
import { HttpConnection } from "../../../rehearsal/network/http";
import { ACK, SYN } from "../../../rehearsal/network/packets";
import type { HttpWhat } from "../../../rehearsal/network/seen";
import { sha256Of } from "../../tools";

const MAC = "52:54:00:12:34:56";
const START = 0xfffffff0;
const segment = (sequence: number, payload: Buffer | string, flags = ACK) => ({
  from: 0,
  to: 0,
  sequence: sequence >>> 0,
  flags,
  payload: Buffer.from(payload),
});

function opened(): HttpConnection {
  const connection = new HttpConnection(MAC, 80);
  connection.take(segment(100, "", SYN), true);
  connection.take(segment(START, "", SYN | ACK), false);
  return connection;
}

const sent = (said: HttpWhat[]) => said.filter((what) => what.kind === "http" && what.state === "sent");

test("a body's digest is right, however its segments come: split anywhere, twice, late, over the wrap of sequence numbers", () => {
  const body = fc.uint8Array({ minLength: 0, maxLength: 300 });
  const cuts = fc.array(fc.nat(400), { maxLength: 12 });
  fc.assert(
    fc.property(body, cuts, fc.infiniteStream(fc.nat(1000)), (bytes, places, order) => {
      const connection = opened();
      connection.take(segment(101, "GET /configs/minipc.yaml HTTP/1.1\r\n\r\n"), true);
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n\r\n`;
      const stream = Buffer.concat([Buffer.from(head), bytes]);
      const ends = [...new Set([...places.map((at) => at % stream.length), stream.length])].sort(
        (a, b) => a - b,
      );
      const segments = ends.map((end, index) => {
        const start = ends[index - 1] ?? 0;
        return segment(START + 1 + start, stream.subarray(start, end));
      });
      const shuffled = [...segments, ...segments.slice(0, 2)]
        .map((each) => ({ each, place: order.next().value as number }))
        .sort((one, other) => one.place - other.place)
        .map(({ each }) => each);
      const said = shuffled.flatMap((each) => connection.take(each, false));
      expect(sent(said)).toEqual([
        {
          mac: MAC,
          kind: "http",
          path: "/configs/minipc.yaml",
          state: "sent",
          status: 200,
          bytes: bytes.length,
          sha256: sha256Of(Buffer.from(bytes)),
        },
      ]);
    }),
  );
});

test("two questions on one connection get their own answers", () => {
  const connection = opened();
  connection.take(segment(101, "GET /a HTTP/1.1\r\n\r\n"), true);
  connection.take(segment(120, "GET /b HTTP/1.1\r\n\r\n"), true);
  const said = connection.take(
    segment(
      START + 1,
      "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nnoHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes",
    ),
    false,
  );
  expect(sent(said)).toMatchObject([
    { path: "/a", status: 404, bytes: 2 },
    { path: "/b", status: 200, bytes: 3, sha256: sha256Of("yes") },
  ]);
});

test("an answer cut short is not counted as sent", () => {
  const connection = opened();
  connection.take(segment(101, "GET /a HTTP/1.1\r\n\r\n"), true);
  const said = connection.take(
    segment(START + 1, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 1),
    false,
  );
  expect(said).toEqual([{ mac: MAC, kind: "http", path: "/a", state: "answered", status: 200 }]);
});
