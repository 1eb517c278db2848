import { peImage } from "./pe-image";

/** Offsets in a bzImage: Linux's Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header". */
const BOOT_FLAG = { offset: 0x1fe, value: 0xaa55 };
const HEADER = { offset: 0x202, value: "HdrS" };
const VERSION_POINTER = 0x20e;
/** How many sectors the set-up code has beside its first, 0 for 4, and how large the rest is, in 16 bytes. */
const SETUP_SECTORS = 0x1f1;
const SYSTEM_SIZE = 0x1f4;
/** arm64's Image: Documentation/arch/arm64/booting.rst. */
const ARM64 = { offset: 0x38, value: "ARM\x64" };

/**
 * The machine that a kernel is for, where it says so: as an EFI program, which a compressed arm64 kernel is too.
 *
 * @param head the file's first 64 KiB
 */
export function kernelMachine(head: Buffer): string | undefined {
  const isArm64 = head.toString("latin1", ARM64.offset, ARM64.offset + 4) === ARM64.value;
  return isArm64 ? "arm64" : peImage(head)?.machine;
}

/** How large the whole of an x86 kernel is by its own header, in bytes; a signature may follow. */
const wholeSize = (head: Buffer) =>
  ((head.readUInt8(SETUP_SECTORS) || 4) + 1) * 512 + head.readUInt32LE(SYSTEM_SIZE) * 16;

/**
 * The version string of an x86 kernel.
 *
 * @param head the file's first 64 KiB
 * @param size the whole file's, in bytes
 * @returns the version, or what is wrong with it
 */
export function kernelVersion(head: Buffer, size: number): { version: string } | { wrong: string } {
  if (head.length < 0x210) return { wrong: `only ${head.length} bytes` };
  if (head.readUInt16LE(BOOT_FLAG.offset) !== BOOT_FLAG.value)
    return { wrong: "no boot flag 0xAA55 at 0x1FE" };
  if (head.toString("latin1", HEADER.offset, HEADER.offset + 4) !== HEADER.value)
    return { wrong: "no HdrS at 0x202" };
  // The last 16 bytes may be counted without being filled.
  if (size + 16 < wholeSize(head))
    return { wrong: `cut short, ${size} bytes of the ${wholeSize(head)} that its header tells of` };
  const start = head.readUInt16LE(VERSION_POINTER) + 0x200;
  const end = head.indexOf(0, start);
  const version = head.toString("latin1", start, end).split(" ")[0] ?? "";
  return /^\d+\.\d+/.test(version) ? { version } : { wrong: "no version string" };
}
