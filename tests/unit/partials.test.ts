import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { writeWhole } from "../../steps/store/files";
import { hasNoMaker, partialName, sweepImages } from "../../steps/store/partials.cjs";
import { pidNamespace } from "../../steps/frame/processes.cjs";
import { NO_PROCESS } from "../tools";

const HOUR_MS = 3600 * 1000;
const ELSEWHERE = "1";
const name = (mark: string) => `.lab.raw.partial-${mark}`;

test.each<[string, string, number, boolean]>([
  ["of a process that is gone", name(`${pidNamespace()}-${NO_PROCESS}`), 0, true],
  ["of a process that is gone, named by an earlier version", name(`${NO_PROCESS}`), 0, true],
  ["of a process that lives", name(`${pidNamespace()}-${process.pid}`), 0, false],
  ["whose pid was given anew after a restart", name(`${pidNamespace()}-${process.pid}`), 1e6 * HOUR_MS, true],
  ["of a container, written to lately", name(`${ELSEWHERE}-${NO_PROCESS}`), HOUR_MS, false],
  ["of a container, left for days", name(`${ELSEWHERE}-${NO_PROCESS}`), 48 * HOUR_MS, true],
  ["that is no temporary one", "lab.raw", 48 * HOUR_MS, false],
])("a name %s", (_which, file, agoMs, has) => {
  expect(hasNoMaker(file, Math.max(0, Date.now() - agoMs))).toBe(has);
});

test("a file may be written twice at once, by one process too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
  const path = join(folder, "blob");
  try {
    await Promise.all(Array.from({ length: 8 }, () => writeWhole(path, "the same")));
    expect(readFileSync(path, "utf8")).toBe("the same");
    expect(readdirSync(folder)).toEqual(["blob"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("half-made images go from the folder of every version, and those at work stay", () => {
  const top = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
  try {
    expect(() => sweepImages(top)).not.toThrow();
    const images = (version: string) => join(top, "artifacts/bootstrap", version, "lab.raw");
    const [left, atWork] = [join(dirname(images("1")), name(`${NO_PROCESS}`)), partialName(images("2"))];
    for (const path of [left, atWork, images("1")]) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, basename(path));
    }
    sweepImages(top);
    expect([left, atWork, images("1")].map((path) => existsSync(path))).toEqual([false, true, true]);
  } finally {
    rmSync(top, { recursive: true });
  }
});
