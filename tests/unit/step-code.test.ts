import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestsOf } from "../../tools/compile.cjs";
import { TOP } from "../tools";

let top: string;
let before: Record<string, string>;

beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), "step-code-"));
  for (const folder of ["stack", "steps", "rehearsal"])
    cpSync(join(TOP, folder), join(top, folder), { recursive: true });
  for (const file of ["node_modules", "tsconfig.json", "Pulumi.yaml"])
    symlinkSync(join(TOP, file), join(top, file));
  before = digestsOf(top);
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

/** Steps whose digest differs once a file has other words, which are put back then. */
function changedBy(file: string, words: string, others: string): string[] {
  const path = join(top, file);
  const text = readFileSync(path, "utf8");
  expect(text).toContain(words);
  writeFileSync(path, text.replace(words, others));
  const after = digestsOf(top);
  writeFileSync(path, text);
  return Object.keys(before).filter((step) => after[step] !== before[step]);
}

test("the digests are the same in every checkout", () => {
  expect(digestsOf()).toEqual(before);
});

test.each([
  ["steps/frame/room.ts", "its disk is full", "the disk is full"],
  ["steps/frame/main.ts", "what started it is gone", "its parent is gone"],
  ["steps/frame/progress.ts", "export ", "export /* another word */ "],
])("a sentence of the frame changes no step: %s", (file, words, others) => {
  expect(changedBy(file, words, others)).toEqual([]);
});

test.each([
  ["steps/disk/site-layer.ts", "0o750", "0o751", ["appliance"]],
  ["steps/disk/shrink.ts", "64", "65", ["base"]],
  ["steps/talos/pe-image.ts", "0x3c", "0x3d", ["netboot"]],
])("a line that decides bytes changes the steps that compute with it: %s", (file, words, others, steps) => {
  expect(changedBy(file, words, others)).toEqual(steps);
});
