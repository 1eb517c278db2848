import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { whileLocked } from "../../steps/programs/process";
import { inToolEnvironment } from "../tools";
import { runStep, testFolder } from "./run-step";

// What lies where a file or a folder goes, of every kind that is not what it should be.

const folder = testFolder();
const source = join(folder, "talos.iso");
let place: string;
let number = 0;

beforeAll(() => {
  const iso = Buffer.alloc(64 << 10, "talos");
  iso.write("CD001", 0x8001);
  writeFileSync(source, iso);
});
beforeEach(() => {
  place = join(folder, `case-${++number}`);
  mkdirSync(place);
});

const ODD = {
  folder: (path: string) => mkdirSync(path),
  empty: (path: string) => writeFileSync(path, ""),
  junk: (path: string) => writeFileSync(path, Buffer.from([0x3c, 0xff, 0xc8, 0x0a, 0x00])),
  conflict: (path: string) => writeFileSync(path, '<<<<<<< HEAD\n{"a": "b"}\n=======\n{}\n>>>>>>> other\n'),
  list: (path: string) => writeFileSync(path, "[]"),
  dangling: (path: string) => symlinkSync("nowhere", path),
  file: (path: string) => writeFileSync(path, "a file where a folder goes"),
};

/** What the step `fetch` is given, each file of its own in the case's folder. */
const fetching = (more: object) => ({
  ...{ key: "k", kind: "iso", url: `file://${source}`, path: join(place, "in/talos.iso") },
  ...{ lockFile: join(place, "lock.json"), recordFile: join(place, "local.json") },
  setKeys: { url: "isoUrl", sha256: "isoSha256" },
  ...more,
});

test.each<[odd: keyof typeof ODD, name: string, more: (path: string) => object, says: string]>([
  [
    "folder",
    "x.iso",
    (path) => ({ url: `file://${path}` }),
    "fetching file://PATH: it is a folder. Put the file there",
  ],
  ["empty", "x.iso", (path) => ({ url: `file://${path}` }), "fetching file://PATH: it is empty."],
  [
    "dangling",
    "x.iso",
    (path) => ({ url: `file://${path}` }),
    "it is a symbolic link to nowhere, which is not there",
  ],
  [
    "file",
    "x",
    (path) => ({ url: `file://${path}/talos.iso` }),
    "a part of its path is a file and no folder",
  ],
  ["folder", "lock.json", () => ({}), "reading PATH: it is a folder."],
  ["empty", "lock.json", () => ({}), "reading PATH: it is empty."],
  ["junk", "lock.json", () => ({}), "reading PATH: it is no JSON"],
  ["conflict", "lock.json", () => ({}), "reading PATH: it has the marks of a merge conflict."],
  ["list", "local.json", () => ({}), "reading PATH: it has another form than it should."],
  ["dangling", "lock.json", () => ({}), "reading PATH: it is a symbolic link to nowhere"],
  ["folder", "y.iso", (path) => ({ path }), "to PATH: there is a folder where a file goes. Move it away"],
  ["file", "in", () => ({}), "PATH is a file, and a folder goes there. Move it away"],
])("a %s as %s is said in one line", async (odd, name, more, says) => {
  const path = join(place, name);
  ODD[odd](path);
  const { manifest, said } = await runStep("fetch", fetching(more(path)));
  expect(manifest).toBeUndefined();
  expect(said).toContain(says.replace("PATH", path));
  expect(said).not.toMatch(/^ {4}at /m);
  expect(said.trimEnd().split("\n")).toHaveLength(1);
});

test("a lock in a place that is none is said in one line, by whoever opens it", async () => {
  const lock = join(source, "x.lock");
  const { exitCode, stderr } = await inToolEnvironment("steps/run", ["fetch", lock], { input: "{}" });
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: expect.stringMatching(/^fetch: opening \S+x\.lock: this user cannot write it\. .*$/) as string,
  });
  const work = whileLocked({ signal: new AbortController().signal }, lock, () => Promise.resolve());
  await expect(work).rejects.toThrow(
    new RegExp(`^locking ${lock}: flock: cannot open lock file .*\\. See that`),
  );
});
