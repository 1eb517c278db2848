import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { shrink } from "../../steps/disk/shrink";
import { sha256Of, tool } from "../tools";
import { makeDisk, SEALED_ROOT, stepContext } from "./disk";
import { testFolder } from "./run-step";
import { MIB } from "../../stack/mib";

const folder = testFolder();
const AT = { rootStart: 64, rootSize: 400 };
const kept = randomBytes(24 * MIB);
const filesystem = (disk: string) => `${disk}?offset=${AT.rootStart * MIB}`;
const allocated = (path: string) => statSync(path).blocks * 512;
let disk: string;
let result: string;
let contentBytes: number;

beforeAll(async () => {
  const root = { ...SEALED_ROOT, "1-gone": Buffer.alloc(180 * MIB, "x"), "2-kept": kept };
  disk = await makeDisk(folder, root, AT);
  // What stays lies far behind what it will be shrunk to.
  await tool("debugfs", ["-w", "-R", "rm /1-gone", filesystem(disk)]);
  await tool("e2fsck", ["-fy", filesystem(disk)]).catch(() => undefined);
  mkdirSync(join(folder, "made"));
  result = join(folder, "made", "base.raw");
  contentBytes = await shrink(stepContext(folder), disk, result);
});

test("the disk is shrunk to what its root file system uses, 64 MiB to write to, and what lies before", () => {
  const bytes = statSync(result).size;
  expect(bytes).toBeGreaterThanOrEqual((AT.rootStart + 64) * MIB + contentBytes);
  expect(bytes).toBeLessThan((AT.rootStart + 64 + 3) * MIB + contentBytes);
  expect(contentBytes).toBeLessThan(kept.length + 24 * MIB);
});

test("none of the room is reserved for root, whose part journald would not use", async () => {
  expect(await tool("tune2fs", ["-l", filesystem(disk)])).toMatch(/^Reserved block count: +[1-9]/m);
  expect(await tool("tune2fs", ["-l", filesystem(result)])).toMatch(/^Reserved block count: +0$/m);
});

test("deleted files take no space", () => {
  expect(allocated(disk)).toBeGreaterThan(200 * MIB);
  expect(allocated(result)).toBeLessThan(kept.length + 8 * MIB);
});

test("every block of a file that had to move is there, and the file system is clean", async () => {
  const out = join(folder, "2-kept");
  await tool("debugfs", ["-R", `dump /2-kept ${out}`, filesystem(result)]);
  expect(sha256Of(readFileSync(out))).toBe(sha256Of(kept));
  await tool("e2fsck", ["-fn", filesystem(result)]);
  await tool("sfdisk", ["--verify", result]);
});

test("what lies before the root is as it was", () => {
  const before = (path: string) => sha256Of(readFileSync(path).subarray(MIB, AT.rootStart * MIB));
  expect(before(result)).toBe(before(disk));
});

test("the same disk is shrunk to the same bytes, whenever that is", async () => {
  const again = join(folder, "made", "again.raw");
  // File systems count in seconds.
  await pause(1100);
  await shrink(stepContext(folder), disk, again);
  expect(sha256Of(readFileSync(again))).toBe(sha256Of(readFileSync(result)));
});
