import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { MIB } from "../../stack/mib";

/** A run of a file's bytes: what lies in an ISO can be read where it lies. */
export interface Slice {
  file: string;
  /** First byte, counted from the file's own first. */
  start: number;
  /** Bytes. */
  size: number;
}

/** A part of a slice, cut where the slice ends. */
export function within({ file, start, size }: Slice, at: number, length = Infinity): Slice {
  const from = Math.min(at, size);
  return { file, start: start + from, size: Math.min(length, size - from) };
}

/** The bytes of a slice, from first to last. */
export function streamOf({ file, start, size }: Slice): Readable {
  if (size === 0) return Readable.from([]);
  return createReadStream(file, { start, end: start + size - 1, highWaterMark: MIB });
}

/** The bytes of a small slice; fewer where its file ends before. */
export async function bytesOf({ file, start, size }: Slice): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
