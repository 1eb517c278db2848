/**
 * Offsets in an EFI program: Microsoft's "PE Format". A unified kernel image is one, with kernel, initramfs and command line
 * as sections: "Unified Kernel Image (UKI)" of the UAPI group.
 */
const PE_POINTER = 0x3c;
const FILE_HEADER = 4;
const SECTION_COUNT = FILE_HEADER + 2;
const OPTIONAL_SIZE = FILE_HEADER + 16;
const AFTER_FILE_HEADER = FILE_HEADER + 20;
const SECTION_HEADER = 40;

/** Machines, by their number in the file header. */
const MACHINES: Record<number, string> = { 0x8664: "amd64", 0xaa64: "arm64" };

export interface PeSection {
  name: string;
  /** First byte in the file. */
  start: number;
  /** Bytes, without what fills the section up to the next. */
  size: number;
}

export interface PeImage {
  /** `amd64`, `arm64`, or the number of another. */
  machine: string;
  sections: PeSection[];
}

/**
 * What an EFI program says of itself.
 *
 * @param head the file's first bytes, with its headers
 * @returns undefined for what is none, or is cut within its headers
 */
export function peImage(head: Buffer): PeImage | undefined {
  if (head.length < PE_POINTER + 4 || head.toString("latin1", 0, 2) !== "MZ") return undefined;
  const pe = head.readUInt32LE(PE_POINTER);
  if (pe + AFTER_FILE_HEADER > head.length || head.toString("latin1", pe, pe + 4) !== "PE\0\0")
    return undefined;
  const machine = head.readUInt16LE(pe + FILE_HEADER);
  const count = head.readUInt16LE(pe + SECTION_COUNT);
  const table = pe + AFTER_FILE_HEADER + head.readUInt16LE(pe + OPTIONAL_SIZE);
  if (table + count * SECTION_HEADER > head.length) return undefined;
  const sections = Array.from({ length: count }, (_, index) => {
    const header = head.subarray(table + index * SECTION_HEADER, table + (index + 1) * SECTION_HEADER);
    const [inMemory, inFile] = [header.readUInt32LE(8), header.readUInt32LE(16)];
    return {
      name: header.toString("latin1", 0, 8).replace(/\0+$/, ""),
      start: header.readUInt32LE(20),
      // What is in the file is filled with zeros up to the file's alignment.
      size: inMemory === 0 ? inFile : Math.min(inMemory, inFile),
    };
  });
  return { machine: MACHINES[machine] ?? `machine 0x${machine.toString(16)}`, sections };
}

/**
 * A section as the first profile of a unified kernel image has it: what lies before the first `.profile` is common to all
 * profiles, and what lies between that and the second is the first profile's own.
 */
export function mainSection(sections: PeSection[], name: string): PeSection | undefined {
  const profiles = sections.flatMap((section, index) => (section.name === ".profile" ? [index] : []));
  const [first = sections.length, second = sections.length] = profiles;
  const inRange = (from: number, to: number) =>
    sections.slice(from, to).find((section) => section.name === name);
  return inRange(first, second) ?? inRange(0, first);
}
