import { TftpTransfers } from "../../../rehearsal/network/tftp";

const MAC = "52:54:00:12:34:56";
const read = Buffer.from("\0\x01snponly.efi\0octet\0tsize\x000\0blksize\x001468\0", "latin1");
const data = (block: number, bytes: number) =>
  Buffer.concat([Buffer.from([0, 3, block >> 8, block & 255]), Buffer.alloc(bytes)]);
const asked = { kind: "tftp", mac: MAC, file: "snponly.efi" };

test("a file is complete with its last, short block, and a block that comes twice counts once", () => {
  const transfers = new TftpTransfers();
  expect(transfers.request("c:1", MAC, read)).toEqual({ ...asked, state: "asked" });
  const options = Buffer.from("\0\x06tsize\x003000\0blksize\x001468\0", "latin1");
  expect(transfers.answer("c:1", options)).toEqual({ ...asked, state: "answered" });
  expect(transfers.answer("c:1", data(1, 1468))).toBeUndefined();
  expect(transfers.answer("c:1", data(1, 1468))).toBeUndefined();
  expect(transfers.answer("c:1", data(2, 1468))).toBeUndefined();
  expect(transfers.answer("c:1", data(3, 64))).toEqual({ ...asked, state: "sent", bytes: 3000 });
  expect(transfers.answer("c:1", data(4, 64))).toBeUndefined();
});

test("a firmware that only asks for the size has nothing sent to it", () => {
  const transfers = new TftpTransfers();
  transfers.request("c:1", MAC, read);
  transfers.answer("c:1", Buffer.from("\0\x06tsize\x003000\0", "latin1"));
  expect(transfers.request("c:2", MAC, read)).toEqual({ ...asked, state: "asked" });
});

test("a refusal is reported in the server's words", () => {
  const transfers = new TftpTransfers();
  transfers.request("c:1", MAC, read);
  const error = Buffer.from("\0\x05\0\x01file not found\0", "latin1");
  expect(transfers.answer("c:1", error)).toEqual({ ...asked, state: "refused", words: "file not found" });
});
