import fs, { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { whyUnreadable } from "../../steps/store/given-file";

const folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  const at = (name: string) => join(folder, name);
  mkdirSync(at("folder"));
  writeFileSync(at("empty"), "");
  writeFileSync(at("whole"), "x");
  symlinkSync("whole", at("link"));
  symlinkSync("nowhere", at("dangling"));
  symlinkSync("circle", at("circle"));
});

test.each([
  ["none", "no such file"],
  ["folder", "it is a folder"],
  ["empty", "it is empty"],
  ["whole/inner", "a part of its path is a file and no folder"],
  ["dangling", "it is a symbolic link to nowhere, which is not there"],
  ["circle", "it is a symbolic link that leads back to itself"],
  ["x".repeat(300), "its path is too long for a file"],
  ["/dev/null", "it is no regular file"],
])("%s: %s", (name, words) => {
  expect(whyUnreadable(name.startsWith("/") ? name : join(folder, name))).toBe(words);
});

test.each(["whole", "link"])("%s can be read", (name) => {
  expect(whyUnreadable(join(folder, name))).toBeUndefined();
});

test("a file of somebody else's", () => {
  const denied = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
  // root may read everything, so that the system's answer is given here.
  const access = jest.spyOn(fs, "accessSync").mockImplementation(() => {
    throw denied;
  });
  expect(whyUnreadable(join(folder, "whole"))).toBe("this user may not read it");
  access.mockRestore();
});
