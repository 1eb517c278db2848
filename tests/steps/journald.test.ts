import { MIB } from "../../stack/mib";
import { journalFiles } from "./journal-files";
import { testFolder } from "./run-step";

const folder = testFolder();
const sizeOf = (files: Record<string, Buffer>) =>
  Object.values(files).reduce((sum, { length }) => sum + length, 0);

test("the appliance's journal is kept over a restart, and is 24 MiB at most, whatever is logged", async () => {
  const files = await journalFiles(
    folder,
    [[["one", "info", "first"]], [["one", "info", "second"]]],
    30 * MIB,
  );
  expect(sizeOf(files)).toBeLessThanOrEqual(24 * MIB);
  // What goes is the oldest, a small part of it all.
  expect(sizeOf(files)).toBeGreaterThan(16 * MIB);
  expect(Object.keys(files).length).toBeGreaterThan(4);
});

test("a few lines take one file of 4 MiB at most", async () => {
  const files = await journalFiles(folder, [[["one", "info", "first"]], [["one", "info", "second"]]]);
  expect(Object.keys(files)).toHaveLength(1);
  expect(sizeOf(files)).toBeLessThanOrEqual(4 * MIB);
});
