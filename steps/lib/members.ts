import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { availableParallelism } from "node:os";
import pLimit from "p-limit";
import { COMPRESSORS, type Format } from "./compressors";
import { run } from "./process";
import type { StepContext } from "./step";

/** What one member holds: enough to start a program for, little enough to keep every core busy to the end. */
const CHUNK_BYTES = 8 << 20;
const PIECE_BYTES = 1 << 20;

/** A run of bytes in a file. */
export interface Range {
  start: number;
  end: number;
}

export class Members {
  private readonly limit = pLimit(availableParallelism());
  /** The member of a chunk of zeros, by its length. */
  private readonly zeros = new Map<number, Promise<Buffer>>();
  /** Bytes compressed so far. */
  done = 0;

  constructor(
    private readonly context: StepContext,
    private readonly format: Format,
  ) {}

  /** Compresses a range of a file on all cores and writes its members, in order, to another. */
  async write(from: FileHandle, { start, end }: Range, to: FileHandle): Promise<void> {
    const starts = Array.from(
      { length: Math.ceil((end - start) / CHUNK_BYTES) },
      (_, index) => start + index * CHUNK_BYTES,
    );
    let written = Promise.resolve();
    const chunks = starts.map((chunk) =>
      this.limit(async () => {
        const bytes = Math.min(CHUNK_BYTES, end - chunk);
        const { buffer } = await from.read(Buffer.allocUnsafe(bytes), 0, bytes, chunk);
        return this.member(buffer);
      }),
    );
    for (const chunk of chunks) {
      written = written.then(async () => {
        const member = await chunk;
        await to.write(member);
      });
    }
    await Promise.all([...chunks, written]);
  }

  private async member(content: Buffer): Promise<Buffer> {
    const isZero = content.length > 0 && content[0] === 0 && content.equals(Buffer.alloc(content.length));
    if (!isZero) return this.compress(content);
    const known = this.zeros.get(content.length) ?? this.compress(content);
    this.zeros.set(content.length, known);
    return known;
  }

  private async compress(content: Buffer): Promise<Buffer> {
    const { program, args } = COMPRESSORS[this.format];
    const { stdout } = await run(this.context, program, [...args(content.length)], {
      input: content,
      encoding: null as never,
    });
    this.done += content.length;
    return stdout as unknown as Buffer;
  }
}

/**
 * Appends whole files to another, one behind the other.
 *
 * @returns SHA-256 of all of them together, lower-case hex
 */
export async function concatenate(context: StepContext, files: string[], to: string): Promise<string> {
  const hash = createHash("sha256");
  const target = await open(to, "wx", 0o600);
  try {
    for (const path of files) {
      const source = await open(path);
      try {
        let written: Promise<unknown> = Promise.resolve();
        for (;;) {
          const { buffer, bytesRead } = await source.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES);
          context.signal.throwIfAborted();
          await written;
          if (bytesRead === 0) break;
          const piece = buffer.subarray(0, bytesRead);
          written = target.write(piece);
          hash.update(piece);
        }
      } finally {
        await source.close();
      }
    }
  } finally {
    await target.close();
  }
  return hash.digest("hex");
}
