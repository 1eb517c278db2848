import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemFault } from "../../steps/frame/system-fault.cjs";

const folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (...names: string[]) => join(folder, ...names);

beforeAll(() => {
  mkdirSync(at("folder"));
  writeFileSync(at("file"), "x");
  symlinkSync("circle", at("circle"));
});

function faultOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (fault) {
    return fault;
  }
}
const inOneLine = (fault: unknown) => {
  const judged = systemFault(fault);
  return judged && `${judged.doing}: ${judged.found}. ${judged.next}`.replaceAll(folder, "");
};

test.each<[string, () => unknown, string]>([
  [
    "a folder where a file goes",
    () => renameSync(at("file"), at("folder")),
    "renaming /file to /folder: there is a folder where a file goes. Move it away",
  ],
  [
    "a folder that is to be written",
    () => closeSync(openSync(at("folder"), "w")),
    "opening /folder: there is a folder where a file goes",
  ],
  [
    "a folder that is to be removed",
    () => rmSync(at("folder"), { force: true }),
    "removing /folder: there is a folder where a file goes",
  ],
  [
    "a file where a folder goes",
    () => mkdirSync(at("file"), { recursive: true }),
    "making the folder /file: /file is a file, and a folder goes there",
  ],
  [
    "a file where a folder above goes",
    () => writeFileSync(at("file", "a", "b"), ""),
    "opening /file/a/b: /file is a file, and a folder goes there",
  ],
  [
    "what was removed meanwhile",
    () => readFileSync(at("none")),
    "opening /none: it is gone, as if something removed it during the run",
  ],
  [
    "a link to itself",
    () => readFileSync(at("circle")),
    "opening /circle: it is a symbolic link that leads back to itself",
  ],
])("%s is said in one line", (_what, work, words) => {
  expect(inOneLine(faultOf(work))).toContain(words);
});

// root may do everything, so that the system's answers are made here.
const denied = (code: string, path: string) =>
  Object.assign(new Error(code), { code, syscall: "open", path });

test("what belongs to somebody else is told with whose it is", () => {
  const own = process.getuid?.() as number;
  expect(inOneLine(denied("EACCES", at("folder", "new")))).toContain(
    "this user may not do that. Give it back",
  );
  const user = jest.spyOn(process, "getuid").mockReturnValue(own + 1);
  const whose = own === 0 ? "root" : `user ${own}`;
  expect(inOneLine(denied("EACCES", at("folder", "new")))).toContain(
    `: /folder belongs to ${whose}. Give it back`,
  );
  user.mockRestore();
});

test("a file system that is read-only", () => {
  expect(inOneLine(denied("EROFS", at("file")))).toContain("opening /file: its file system is read-only");
});

test("any other fault stays what it is", () => {
  expect(systemFault(new TypeError("x is not a function"))).toBeUndefined();
  expect(
    systemFault(Object.assign(new Error("ECONNREFUSED"), { code: "ECONNREFUSED", syscall: "connect" })),
  ).toBeUndefined();
  expect(
    systemFault(
      Object.assign(new Error("spawn x ENOENT"), { code: "ENOENT", syscall: "spawn x", path: "x" }),
    ),
  ).toBeUndefined();
  expect(systemFault(undefined)).toBeUndefined();
});
