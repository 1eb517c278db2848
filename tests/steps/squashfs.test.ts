import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Pack } from "tar-stream";
import { squashfsOf } from "../../steps/disk/squashfs";
import { stepContext } from "./disk";

const folder = mkdtempSync(join(tmpdir(), "squashfs-"));
afterAll(() => rmSync(folder, { recursive: true }));
const context = stepContext(folder);

/** More than any pipe holds, so that it waits for whoever reads. */
const MUCH = Buffer.alloc(16 << 20, "x");
const fill = async (pack: Pack) => {
  await pipeline(Readable.from([MUCH]), pack.entry({ name: "much", size: MUCH.length }));
  return "filled";
};

const write = (fillWith: (pack: Pack) => Promise<string>, path: string) =>
  squashfsOf(context, fillWith, join(folder, path));

test("the filler's result is returned once everything is written", async () => {
  expect(await write(fill, "whole")).toBe("filled");
  expect(existsSync(join(folder, "whole"))).toBe(true);
});

test("a program that ends in the middle is the cause, not the stream that it leaves", async () => {
  for (let turn = 0; turn < 5; turn++)
    await expect(write(fill, "no-such-folder/layer")).rejects.toThrow(/running sqfstar/);
});

test("the filler's error is the cause, not the program whose input ends", async () => {
  const broken = async (pack: Pack) => {
    pack.entry({ name: "one", size: 3 }, "one");
    await Promise.resolve();
    throw new Error("the source is gone");
  };
  await expect(write(broken, "broken")).rejects.toThrow("the source is gone");
});
