import { cpSync, readFileSync, renameSync, rmSync, utimesSync } from "node:fs";
import { heldStamp, recipeDigest, writeStamp } from "../../tools/setup/stamps.cjs";
import { FakeMachine } from "./fake-machine";

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
});
afterEach(() => machine.remove());

describe("the stamp of a tool", () => {
  const cache = () => machine.path("cache");
  const held = (folder = cache()) => heldStamp(folder, "tool", "recipe") !== undefined;
  beforeEach(() => {
    const paths = [machine.write("cache/bin/tool", "one"), machine.write("cache/plugins/x/tool", "two")];
    writeStamp(cache(), "tool", { recipe: "recipe", from: "somewhere", version: "1.0.0", paths });
  });
  const laterTime = (path: string) => utimesSync(path, new Date(), new Date(Date.now() + 60_000));

  test("holds in a cache that was moved to another home", () => {
    renameSync(cache(), machine.path("other"));
    expect(held(machine.path("other"))).toBe(true);
  });

  test("holds in a copy whose files have other times, and the new times are written down", () => {
    cpSync(cache(), machine.path("copy"), { recursive: true });
    laterTime(machine.path("copy/bin/tool"));
    const stamp = () => readFileSync(machine.path("copy/stamps/tool.json"), "utf8");
    const before = stamp();
    expect(held(machine.path("copy"))).toBe(true);
    expect(stamp()).not.toBe(before);
    const noted = stamp();
    expect(held(machine.path("copy"))).toBe(true);
    expect(stamp()).toBe(noted);
  });

  test("does not hold for other content, even of the same length", () => {
    machine.write("cache/bin/tool", "eno");
    laterTime(machine.path("cache/bin/tool"));
    expect(held()).toBe(false);
  });

  test("does not hold for a file that is gone, or another recipe", () => {
    expect(heldStamp(cache(), "tool", "another")).toBeUndefined();
    rmSync(machine.path("cache/plugins/x/tool"));
    expect(held()).toBe(false);
  });

  test("holds where it was written if an earlier set-up wrote it with whole paths", () => {
    const stamp = JSON.parse(readFileSync(machine.path("cache/stamps/tool.json"), "utf8")) as {
      files: { path: string; sha256?: string }[];
    };
    for (const file of stamp.files) {
      file.path = machine.path("cache", file.path);
      delete file.sha256;
    }
    machine.write("cache/stamps/tool.json", JSON.stringify(stamp));
    expect(held()).toBe(true);
  });

  test("names a file outside the cache by its whole path", () => {
    const path = machine.write("opt/tool", "");
    writeStamp(cache(), "own", { recipe: "recipe", from: "machine", version: "1.0.0", paths: [path] });
    expect(heldStamp(cache(), "own", "recipe")?.files).toEqual([expect.objectContaining({ path })]);
  });

  test("a recipe's folder counts with what lies in folders of it", () => {
    machine.write("recipe/inner/main.go", "a");
    const before = recipeDigest([], [machine.path("recipe")]);
    machine.write("recipe/inner/main.go", "b");
    expect(recipeDigest([], [machine.path("recipe")])).not.toBe(before);
  });
});
