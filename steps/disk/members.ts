import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { availableParallelism } from "node:os";
import pLimit from "p-limit";
import { COMPRESSORS, type Format } from "./compressors";
import { run } from "../programs/process";
import type { StepContext } from "../frame/context";
import { MIB } from "../../stack/mib";

/** What one member holds: enough to start a program for, little enough to keep every core busy to the end. */
const CHUNK_BYTES = 8 << 20;
const PIECE_BYTES = MIB;

/** A run of bytes in a file. */
export interface Range {
  start: number;
  end: number;
}

export class Members {
  private readonly limit = pLimit(availableParallelism());
  /** Members that may be made, or wait to be written, at once: what memory holds of a range. */
  private readonly ahead = 2 * availableParallelism();
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
    const waiting: Promise<Buffer>[] = [];
    const writeFirst = async () => {
      const member = await waiting.shift();
      if (member) await to.writeFile(member);
    };
    for (let chunk = start; chunk < end; chunk += CHUNK_BYTES) {
      if (waiting.length === this.ahead) await writeFirst();
      const member = this.limit(() => this.compressChunk(from, chunk, Math.min(CHUNK_BYTES, end - chunk)));
      // Its fault shows when its turn comes, if none came before.
      member.catch(() => undefined);
      waiting.push(member);
    }
    while (waiting.length > 0) await writeFirst();
  }

  private async compressChunk(from: FileHandle, start: number, bytes: number): Promise<Buffer> {
    const { buffer, bytesRead } = await from.read(Buffer.alloc(bytes), 0, bytes, start);
    if (bytesRead < bytes) throw new Error(`only ${bytesRead} of ${bytes} bytes could be read at ${start}`);
    const member = await this.member(buffer);
    this.done += bytes;
    return member;
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
        for (;;) {
          const { buffer, bytesRead } = await source.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES);
          context.signal.throwIfAborted();
          if (bytesRead === 0) break;
          const piece = buffer.subarray(0, bytesRead);
          const writing = target.writeFile(piece);
          hash.update(piece);
          await writing;
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
