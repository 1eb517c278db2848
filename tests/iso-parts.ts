/** Talos-shaped ISOs for tests, out of small parts. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inToolEnvironment, tool } from "./tools";

/** The least that passes for a bzImage: its size, boot flag, HdrS, a pointer to the version string (Linux, boot.rst). */
export function kernel(version = "6.12.57-talos"): Buffer {
  const image = Buffer.alloc(8192, 0x90);
  image.writeUInt8(1, 0x1f1);
  image.writeUInt32LE((image.length - 2 * 512) / 16, 0x1f4);
  image.writeUInt16LE(0xaa55, 0x1fe);
  image.write("HdrS", 0x202, "latin1");
  image.writeUInt16LE(0x1000 - 0x200, 0x20e);
  image.write(`${version} (talos@build) #1\0`, 0x1000, "latin1");
  return image;
}

export async function compressed(program: "zstd" | "xz" | "gzip", content: Buffer): Promise<Buffer> {
  const { stdout } = await inToolEnvironment(program, ["-c"], { input: content, encoding: null as never });
  return stdout as unknown as Buffer;
}

/** A cpio archive in the form that Linux takes (cpio(5), "New ASCII Format"). */
export function cpio(files: Record<string, Buffer>): Buffer {
  const four = (size: number) => Buffer.alloc((4 - (size % 4)) % 4);
  const entries = Object.entries({ ...files, "TRAILER!!!": Buffer.alloc(0) }).map(([name, content]) => {
    const fields = [1, 0o100644, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}\0`;
    return Buffer.concat([Buffer.from(header), four(header.length), content, four(content.length)]);
  });
  return Buffer.concat(entries);
}

/** What an ISO of the Image Factory begins its initramfs with for a schematic with CPU microcode. */
export const microcode = () => cpio({ "kernel/x86/microcode/GenuineIntel.bin": Buffer.alloc(65_001, "u") });

export const initramfs = () => compressed("zstd", cpio({ init: Buffer.alloc(100_000, "init") }));

type Section = [name: string, content: Buffer | string];
const MACHINES = { amd64: 0x8664, arm64: 0xaa64 };

/** An EFI program with these sections in this order, laid out as Talos's imager does it. */
export function efiProgram(sections: Section[], machine: keyof typeof MACHINES = "amd64"): Buffer {
  const [ALIGNMENT, OPTIONAL_HEADER] = [512, 240];
  const headers = Buffer.alloc(ALIGNMENT * 4);
  headers.write("MZ", 0, "latin1");
  headers.writeUInt32LE(0x80, 0x3c);
  headers.write("PE\0\0", 0x80, "latin1");
  headers.writeUInt16LE(MACHINES[machine], 0x84);
  headers.writeUInt16LE(sections.length, 0x86);
  headers.writeUInt16LE(OPTIONAL_HEADER, 0x94);
  // PE32+, for programs that look at it.
  headers.writeUInt16LE(0x20b, 0x98);
  headers.writeUInt32LE(0x1000, 0x98 + 32);
  headers.writeUInt32LE(ALIGNMENT, 0x98 + 36);
  headers.writeUInt32LE(headers.length, 0x98 + 60);
  let [at, address] = [headers.length, 0x1000];
  const contents = sections.map(([name, given], index) => {
    const content = Buffer.from(given);
    const inFile = Math.ceil(content.length / ALIGNMENT) * ALIGNMENT;
    const header = 0x98 + OPTIONAL_HEADER + index * 40;
    headers.write(name, header, "latin1");
    headers.writeUInt32LE(content.length, header + 8);
    headers.writeUInt32LE(address, header + 12);
    headers.writeUInt32LE(inFile, header + 16);
    headers.writeUInt32LE(at, header + 20);
    headers.writeUInt32LE(0x40000040, header + 36);
    [at, address] = [at + inFile, address + Math.ceil(content.length / 0x1000) * 0x1000];
    return Buffer.concat([content, Buffer.alloc(inFile - content.length)]);
  });
  headers.writeUInt32LE(address, 0x98 + 56);
  return Buffer.concat([headers, ...contents]);
}

export const osRelease = (version: string) => `NAME="Talos"\nID=talos\nVERSION_ID=${version}\n`;

/** An ISO with these files in a folder of its own. */
export async function isoOf(
  folder: string,
  files: Record<string, Buffer | string>,
  volumeId = "TALOS_V1_11_6",
): Promise<string> {
  const tree = join(folder, "tree");
  mkdirSync(tree, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(tree, name, ".."), { recursive: true });
    writeFileSync(join(tree, name), content);
  }
  const iso = join(folder, "made.iso");
  await tool("xorriso", ["-as", "mkisofs", "-quiet", "-R", "-V", volumeId, "-o", iso, tree]);
  return iso;
}

/** What the Image Factory adds to an initramfs, with the list of it that Talos reads. */
export const extensions = (schematic: string) =>
  cpio({
    "000.schematic.sqsh": randomBytes(5000),
    "extensions.yaml": Buffer.from(
      `layers:\n    - image: 000.schematic.sqsh\n      metadata:\n        name: schematic\n        version: ${schematic}\n`,
    ),
  });

/** Makes an ISO as the Image Factory would of a schematic with CPU microcode, out of one like Talos's. */
export async function factoryIsoOf(iso: string, schematic: string, to: string): Promise<void> {
  const [initrd, made] = [`${to}.initramfs`, `${to}.made`];
  await tool("xorriso", ["-osirrox", "on", "-indev", iso, "-extract", "/boot/initramfs.xz", initrd]);
  const behind = await compressed("zstd", extensions(schematic));
  writeFileSync(made, Buffer.concat([microcode(), readFileSync(initrd), behind]));
  await tool("xorriso", [
    "-indev",
    iso,
    "-outdev",
    to,
    "-rm",
    "/boot/initramfs.xz",
    "--",
    "-map",
    made,
    "/boot/initramfs.xz",
  ]);
  for (const file of [initrd, made]) rmSync(file, { force: true });
}
