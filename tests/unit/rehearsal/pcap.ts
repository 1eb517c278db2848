import { readFileSync } from "node:fs";

/** Of a capture in the classic form, in bytes (draft-ietf-opsawg-pcap, sections 4 and 5). */
const [FILE_HEAD, RECORD_HEAD] = [24, 16];

/**
 * The frames of a capture, as much of each as was kept, with the length that it had on the link.
 *
 * @throws Error when the file is no such capture, or does not end where its last frame does
 */
export function framesIn(path: string): { kept: Buffer; bytes: number }[] {
  const file = readFileSync(path);
  if (file.readUInt32LE(0) !== 0xa1b2c3d4 || file.readUInt32LE(20) !== 1)
    throw new Error(`${path} is no capture of Ethernet with microseconds`);
  const frames = [];
  let at = FILE_HEAD;
  while (at < file.length) {
    const [kept, bytes] = [file.readUInt32LE(at + 8), file.readUInt32LE(at + 12)];
    at += RECORD_HEAD;
    frames.push({ kept: file.subarray(at, at + kept), bytes });
    at += kept;
  }
  if (at !== file.length) throw new Error(`${path} is cut short`);
  return frames;
}
