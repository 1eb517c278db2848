import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import type { Stage } from "../../rehearsal/stage";

/** Brightness of a picture's pixels, 0 to 255, line by line. @param png of 8 bits a colour (PNG, sections 7 and 9) */
function brightness(png: Buffer): number[][] {
  const [width, colours] = [png.readUInt32BE(16), png[25] === 2 ? 3 : 4];
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString("latin1", at + 4, at + 8) === "IDAT")
      parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const raw = inflateSync(Buffer.concat(parts));
  const bytes = width * colours;
  const lines: number[][] = [];
  let above = Buffer.alloc(bytes);
  for (let start = 0; start < raw.length; start += bytes + 1) {
    const line = Buffer.from(raw.subarray(start + 1, start + 1 + bytes));
    for (let x = 0; x < bytes; x++) {
      const [left, up, corner] = [
        x < colours ? 0 : line[x - colours]!,
        above[x]!,
        x < colours ? 0 : above[x - colours]!,
      ];
      const near = left + up - corner;
      const [toLeft, toUp, toCorner] = [left, up, corner].map((each) => Math.abs(near - each)) as [
        number,
        number,
        number,
      ];
      const paeth = toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
      line[x] = line[x]! + ([0, left, up, (left + up) >> 1, paeth][raw[start]!] ?? 0);
    }
    lines.push(Array.from({ length: width }, (_, x) => line[x * colours]!));
    above = line;
  }
  return lines;
}

/** Whether the picture has the status: its first line of text is on a light bar, 79 of 80 columns wide, and its second is not. */
export function hasStatus(png: Buffer): boolean {
  const lines = brightness(png);
  // 25 lines in VGA's text mode, and of as many pixels each in a larger frame buffer, such as UEFI's.
  const [height, columns] = [16, Math.floor((lines[0] as number[]).length / 80)];
  const lightIn = (line: number) => {
    const pixels = lines
      .slice(line * height, (line + 1) * height)
      .flatMap((each) => each.slice(0, 70 * Math.min(columns, 9)));
    return pixels.filter((each) => each > 100).length / pixels.length;
  };
  return lightIn(0) > 0.5 && lightIn(1) < 0.4;
}

/** Whether the appliance's screen has the status now: it is drawn anew every other second, and the kernel may write between. */
export async function showsStatus(stage: Stage): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
  const picture = (machine: string) => join(folder, `${machine}.png`);
  try {
    const taken = await stage.screendump(picture);
    return taken.includes("appliance") && hasStatus(readFileSync(picture("appliance")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
