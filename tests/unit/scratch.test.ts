import fs, { existsSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { abandonedScratch, makeScratch, sweepScratch } from "../../steps/frame/scratch.cjs";
import { NO_PROCESS } from "../tools";

const parent = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const namespace = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0];
/** What a step of this user left that was killed. */
function leftover(): string {
  const path = join(parent, `bootstrap-pxe-base-${namespace}-${NO_PROCESS}-abcdef`);
  mkdirSync(path);
  writeFileSync(join(path, "secret"), "x");
  return path;
}
const own = process.getuid?.() as number;

test("what a killed step of this user left is removed by the next", () => {
  const path = leftover();
  const mine = makeScratch("fetch", parent);
  expect(existsSync(path)).toBe(false);
  expect(existsSync(mine)).toBe(true);
});

test("what somebody else's step left is passed over", () => {
  const path = leftover();
  expect(abandonedScratch(parent, own + 1)).toEqual([]);
  sweepScratch(parent, own + 1);
  expect(existsSync(path)).toBe(true);
  rmSync(path, { recursive: true });
});

test("what cannot be removed keeps nobody from work", () => {
  const path = leftover();
  // root may remove everything, so that the system's answer is given here.
  const remove = jest.spyOn(fs, "rmSync").mockImplementation(() => {
    throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
  });
  expect(existsSync(makeScratch("fetch", parent))).toBe(true);
  remove.mockRestore();
  expect(existsSync(path)).toBe(true);
});
