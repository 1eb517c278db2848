import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";
import { Writable } from "node:stream";
import { bytesOf, streamOf, within, type Slice } from "./slice";

/**
 * An initramfs is a row of archives, each compressed in its own way or not at all, with zeros between: Linux's
 * Documentation/driver-api/early-userspace/buffer-format.rst. Talos has its own compressed archive in it, an uncompressed one
 * with the CPU's microcode before that, and one with further extensions behind.
 */
export interface Archive {
  format: ArchiveFormat;
  /** First byte, counted from the initramfs's own first. */
  start: number;
  /** Bytes, without the zeros behind it. */
  size: number;
}

export type ArchiveFormat = "cpio" | "zstd" | "xz" | "gzip";

/** What is wrong with an initramfs, and at which byte of it. */
export class InitramfsFault extends Error {}

const FORMATS: { format: ArchiveFormat; magic: Buffer; end: (archive: Slice) => Promise<number> }[] = [
  { format: "cpio", magic: Buffer.from("07070"), end: cpioEnd },
  { format: "zstd", magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), end: zstdEnd },
  { format: "xz", magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), end: xzEnd },
  { format: "gzip", magic: Buffer.from([0x1f, 0x8b, 0x08]), end: gzipEnd },
];

/** What an archive's own structure says that it has, and its slice has not. */
class Cut extends Error {
  constructor(what: string, at: number) {
    super(`is cut short: the ${what} at its byte ${at} is not whole`);
  }
}

/** What an archive cannot have at a byte of its own. */
class Damaged extends Error {
  constructor(what: string, at: number) {
    super(`is damaged: there is no ${what} at its byte ${at}`);
  }
}

/** Reads from an archive; what lies behind its end is missing, not zero. */
async function take(archive: Slice, at: number, length: number, what: string): Promise<Buffer> {
  const bytes = await bytesOf(within(archive, at, length));
  if (bytes.length < length) throw new Cut(what, at);
  return bytes;
}

const padded = (size: number) => Math.ceil(size / 4) * 4;

/** cpio(5), "New ASCII Format": a header of 110 bytes in hex, a name, a file; name and file end at a multiple of four. */
async function cpioEnd(archive: Slice): Promise<number> {
  for (let at = 0; ;) {
    const header = (await take(archive, at, 110, "entry")).toString("latin1");
    if (!/^07070[12][0-9A-Fa-f]{104}$/.test(header)) throw new Damaged("entry", at);
    const field = (index: number) => parseInt(header.slice(6 + index * 8, 14 + index * 8), 16);
    const [fileSize, nameSize] = [field(6), field(11)];
    const name = (await take(archive, at + 110, nameSize, "entry")).toString("latin1").replace(/\0.*$/s, "");
    const file = at + padded(110 + nameSize);
    if (file + fileSize > archive.size) throw new Cut(`entry ${name}`, at);
    at = Math.min(file + padded(fileSize), archive.size);
    if (name === "TRAILER!!!") return at;
  }
}

/** RFC 8878, section 3.1.1: a frame's header, its blocks, each with its size, and a checksum. */
async function zstdEnd(archive: Slice): Promise<number> {
  const descriptor = (await take(archive, 4, 1, "header")).readUInt8();
  const isSingle = (descriptor >> 5) & 1;
  const contentSize = [isSingle, 2, 4, 8][descriptor >> 6] as number;
  const dictionary = [0, 1, 2, 4][descriptor & 3] as number;
  let at = 5 + (isSingle ? 0 : 1) + dictionary + contentSize;
  for (let isLast = false; !isLast;) {
    const block = (await take(archive, at, 3, "block")).readUIntLE(0, 3);
    isLast = (block & 1) === 1;
    const [type, size] = [(block >> 1) & 3, block >> 3];
    if (type === 3) throw new Damaged("block", at);
    // A run of one byte is kept as that byte.
    const inFile = type === 1 ? 1 : size;
    if (at + 3 + inFile > archive.size) throw new Cut("block", at);
    at += 3 + inFile;
  }
  const checksum = descriptor & 4 ? 4 : 0;
  await take(archive, at, checksum, "checksum");
  return at + checksum;
}

/** Length of a number as xz writes it, and the number: "The .xz File Format", section 1.2. */
function multibyte(bytes: Buffer, at: number): { value: number; length: number } {
  let value = 0;
  for (let index = 0; index < Math.min(bytes.length, 9); index++) {
    const byte = bytes.readUInt8(index);
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, length: index + 1 };
  }
  throw new Damaged("number", at);
}

/** "The .xz File Format": a header, blocks of LZMA2 chunks, each with its size, an index and a footer. */
async function xzEnd(archive: Slice): Promise<number> {
  const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];
  const check = CHECK_SIZES[(await take(archive, 7, 1, "header")).readUInt8() & 15] as number;
  let at = 12;
  for (;;) {
    const headerSize = (await take(archive, at, 1, "block")).readUInt8();
    if (headerSize === 0) break;
    const data = at + (headerSize + 1) * 4;
    at = padded((await lzma2End(archive, data)) - data) + data + check;
    if (at > archive.size) throw new Cut("block", data);
  }
  let size = 1;
  const next = async () => {
    const { value, length } = multibyte(await bytesOf(within(archive, at + size, 9)), at + size);
    size += length;
    return value;
  };
  for (let left = 2 * (await next()); left > 0; left--) await next();
  // CRC32 of the index, then the footer.
  const end = at + padded(size) + 4 + 12;
  if (end > archive.size) throw new Cut("index", at);
  return end;
}

/** Chunks of LZMA2, as the reference decoder (XZ for Java, LZMA2InputStream) tells them apart by their first byte. */
async function lzma2End(archive: Slice, start: number): Promise<number> {
  for (let at = start; ;) {
    const control = (await take(archive, at, 1, "chunk")).readUInt8();
    if (control === 0) return at + 1;
    if (control > 2 && control < 0x80) throw new Damaged("chunk", at);
    const isPlain = control < 0x80;
    const sizes = await take(archive, at + 1, isPlain ? 2 : 4, "chunk");
    const hasProperties = control >= 0xc0;
    const size = isPlain
      ? 3 + sizes.readUInt16BE(0) + 1
      : 5 + (hasProperties ? 1 : 0) + sizes.readUInt16BE(2) + 1;
    if (at + size > archive.size) throw new Cut("chunk", at);
    at += size;
  }
}

/** RFC 1952: a header, a deflate stream that alone knows where it ends, checksum and size. */
async function gzipEnd(archive: Slice): Promise<number> {
  const flags = (await take(archive, 3, 1, "header")).readUInt8();
  let at = 10;
  if (flags & 4) at += 2 + (await take(archive, at, 2, "header")).readUInt16LE();
  // The file's name, then a comment, each up to a zero.
  for (const flag of [8, 16]) {
    if (!(flags & flag)) continue;
    const text = await bytesOf(within(archive, at, 1 << 16));
    if (!text.includes(0)) throw new Cut("header", at);
    at += text.indexOf(0) + 1;
  }
  if (flags & 2) at += 2;
  const inflate = createInflateRaw();
  const nowhere = new Writable({ write: (_piece, _encoding, done) => done() });
  await pipeline(streamOf(within(archive, at)), inflate, nowhere).catch((fault: NodeJS.ErrnoException) => {
    if (fault.code === "Z_BUF_ERROR") throw new Cut("data", at);
    // What stopped reading at the stream's end is no fault.
    if (fault.code?.startsWith("Z_")) throw new Error(`is damaged: ${fault.message}`);
    if (fault.code !== "ERR_STREAM_PREMATURE_CLOSE") throw fault;
  });
  const end = at + inflate.bytesWritten + 8;
  if (end > archive.size) throw new Cut("checksum", end - 8);
  return end;
}

/** How many zeros a slice begins with. */
async function zerosAt(initramfs: Slice, at: number): Promise<number> {
  for (let zeros = 0; ;) {
    const piece = await bytesOf(within(initramfs, at + zeros, 1 << 16));
    const other = piece.findIndex((byte) => byte !== 0);
    zeros += other < 0 ? piece.length : other;
    if (other >= 0 || piece.length === 0) return zeros;
  }
}

/**
 * The archives of an initramfs, from first to last.
 *
 * @throws InitramfsFault where one does not end, or something else lies, after the archives before it were given
 */
export async function* archivesOf(initramfs: Slice): AsyncGenerator<Archive> {
  let count = 0;
  for (let at = 0; at < initramfs.size;) {
    const start = at + (await zerosAt(initramfs, at));
    if (start >= initramfs.size) break;
    const head = await bytesOf(within(initramfs, start, 8));
    const kind = FORMATS.find(({ magic }) => head.subarray(0, magic.length).equals(magic));
    const before = count === 0 ? "it begins" : `what follows its archive ${count} begins, at byte ${start},`;
    if (!kind)
      throw new InitramfsFault(
        `${before} with ${head.toString("hex")}: no archive of cpio, zstd, xz or gzip`,
      );
    count += 1;
    const { format, end } = kind;
    // The kernel looks for an uncompressed archive at a multiple of four only (init/initramfs.c).
    if (format === "cpio" && start % 4 !== 0)
      throw new InitramfsFault(
        `its archive ${count} (cpio) begins at byte ${start}, which is no multiple of 4, so that Linux does not find it`,
      );
    const rest = within(initramfs, start);
    const size = await end(rest).catch((fault: Error) => {
      throw new InitramfsFault(`its archive ${count} (${format}, from byte ${start} on) ${fault.message}`);
    });
    yield { format, start, size };
    at = start + size;
  }
  if (count === 0) throw new InitramfsFault(initramfs.size === 0 ? "it is empty" : "it holds zeros only");
}
