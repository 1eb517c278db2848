import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { archivesOf } from "../../steps/talos/initramfs";
import { compressed, cpio, microcode } from "../iso-parts";
import { inToolEnvironment } from "../tools";
import { testFolder } from "./run-step";

const folder = testFolder();
const file = join(folder, "initramfs");
// Half of it cannot be compressed, so that every kind of block and chunk is there; more than one block of each format.
const content = cpio({ init: Buffer.concat([randomBytes(200_000), Buffer.alloc(300_000, "init")]) });

/** The archives that are found, as FORMAT@START+SIZE, and what ended the walk. */
async function walk(bytes: Buffer): Promise<string[]> {
  writeFileSync(file, bytes);
  const found: string[] = [];
  try {
    for await (const { format, start, size } of archivesOf({ file, start: 0, size: bytes.length }))
      found.push(`${format}@${start}+${size}`);
  } catch (fault) {
    found.push((fault as Error).message);
  }
  return found;
}

async function packed(program: string, ...flags: string[]): Promise<Buffer> {
  const options = { input: content, encoding: null as never };
  return (await inToolEnvironment(program, ["-c", ...flags], options)).stdout as unknown as Buffer;
}

const MADE: [what: string, format: string, make: () => Promise<Buffer> | Buffer][] = [
  ["cpio", "cpio", () => content],
  ["zstd", "zstd", () => packed("zstd", "-18", "-T0")],
  ["zstd without a checksum", "zstd", () => packed("zstd", "--no-check")],
  ["xz as Talos's imager makes it", "xz", () => packed("xz", "-C", "crc32", "-0", "-e", "-T0")],
  ["xz of several blocks", "xz", () => packed("xz", "-T2", "--block-size=64KiB")],
  ["xz with a filter and without a check", "xz", () => packed("xz", "-C", "none", "--x86", "--lzma2")],
  ["gzip", "gzip", () => packed("gzip")],
];

test.each(MADE)(
  "%s: its end is found, whatever follows, and where it is cut short",
  async (_what, format, make) => {
    const archive = await make();
    const four = Buffer.alloc((4 - (archive.length % 4)) % 4);
    const behind = Math.ceil(archive.length / 4) * 4;
    const early = microcode();
    expect(await walk(archive)).toEqual([`${format}@0+${archive.length}`]);
    expect(await walk(Buffer.concat([archive, four, early]))).toEqual([
      `${format}@0+${archive.length}`,
      `cpio@${behind}+${early.length}`,
    ]);
    for (const length of [5, archive.length >> 1, archive.length - 1]) {
      const found = await walk(archive.subarray(0, length));
      expect(found).toEqual([
        expect.stringMatching(
          length === 5 && format !== "gzip" && format !== "zstd"
            ? /^(it begins with|its archive 1 \(cpio, from byte 0 on\) is cut short)/
            : /^its archive 1 \(\w+, from byte 0 on\) is cut short: the \w.* at its byte \d+ is not whole$/,
        ),
      ]);
    }
  },
);

test("that of a factory schematic: microcode, padded to 512, Talos, extensions", async () => {
  const [early, talos, late] = [microcode(), await packed("zstd"), await compressed("xz", content)];
  const pad = Buffer.alloc(512 - (early.length % 512));
  expect(await walk(Buffer.concat([early, pad, talos, late, Buffer.alloc(8)]))).toEqual([
    `cpio@0+${early.length}`,
    `zstd@${early.length + pad.length}+${talos.length}`,
    `xz@${early.length + pad.length + talos.length}+${late.length}`,
  ]);
});

test("bytes that are no archive are named with their place", async () => {
  const [early, talos] = [microcode(), await packed("zstd")];
  const junk = Buffer.from("junkjunkjunk");
  expect(await walk(Buffer.concat([early, talos, junk]))).toEqual([
    `cpio@0+${early.length}`,
    `zstd@${early.length}+${talos.length}`,
    `what follows its archive 2 begins, at byte ${early.length + talos.length}, with 6a756e6b6a756e6b: no archive of cpio, zstd, xz or gzip`,
  ]);
  expect(await walk(junk)).toEqual(["it begins with 6a756e6b6a756e6b: no archive of cpio, zstd, xz or gzip"]);
  expect(await walk(Buffer.alloc(0))).toEqual(["it is empty"]);
  expect(await walk(Buffer.alloc(4096))).toEqual(["it holds zeros only"]);
});

test("an uncompressed archive where Linux does not look for one", async () => {
  const talos = await packed("gzip");
  const odd = Buffer.alloc(((4 - (talos.length % 4)) % 4) + 1);
  expect(await walk(Buffer.concat([talos, odd, microcode()]))).toEqual([
    expect.any(String),
    expect.stringMatching(/^its archive 2 \(cpio\) begins at byte \d+, which is no multiple of 4/),
  ]);
});

test("a structure that cannot be is damage, named with its byte", async () => {
  const [first, second] = [cpio({ a: Buffer.alloc(8) }), cpio({ b: Buffer.alloc(8) })];
  const trailer = cpio({}).length;
  const broken = Buffer.concat([first.subarray(0, -trailer), second.fill("x", 6, 8)]);
  const at = first.length - trailer;
  expect(await walk(broken)).toEqual([
    `its archive 1 (cpio, from byte 0 on) is damaged: there is no entry at its byte ${at}`,
  ]);
  // A frame whose first block is of the one type that is reserved.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x10, 0x07, 0, 0, 0, 0]);
  expect(await walk(frame)).toEqual([
    "its archive 1 (zstd, from byte 0 on) is damaged: there is no block at its byte 6",
  ]);
  // A header of gzip, and a deflate stream whose first block is of the one type that is reserved.
  const deflated = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x07, 0, 0]);
  expect(await walk(deflated)).toEqual([
    "its archive 1 (gzip, from byte 0 on) is damaged: invalid block type",
  ]);
});
