import { readFileSync } from "node:fs";
import { join } from "node:path";
import { borrowedLoaderLine, LOADERS, loaderFor, MINORS } from "../../stack/talos-releases.cjs";

const MODULES = join(__dirname, "../../tools/go/talos-config");

test.each([
  ["v1.9.0", "1.9", true],
  ["v1.10.3", "1.10", true],
  ["v1.14.0-beta.1", "1.14", true],
  ["v1.13.6+local", "1.13", true],
  ["1.12.1", "1.12", true],
  ["v1.8.4", "1.9", false],
  ["v0.14.0", "1.9", false],
  ["v1.15.0-alpha.0", "1.14", false],
  ["v2.0.0", "1.14", false],
])("Talos %s is checked by the loader of %s", (version, minor, isOwn) => {
  expect(loaderFor(version)).toEqual({
    minor,
    isOwn,
    release: `v${LOADERS[minor]}`,
    program: `talos-config-${minor}`,
  });
});

test.each(["latest", "", "v1", "1.x", "v1.9x"])("%j is no release", (version) => {
  expect(loaderFor(version)).toBeUndefined();
  expect(borrowedLoaderLine(version)).toBeUndefined();
});

test("one line names the release that nothing knows, and the one whose loader serves", () => {
  const line = borrowedLoaderLine("v1.15.0");
  expect(line).toMatch(/Talos v1\.15\.0.*the loader of Talos v1\.14\.1/);
  expect(line).not.toContain("\n");
});

test("one line says that a later patch release than the loader's is checked by that of an earlier one", () => {
  for (const version of ["v1.13.6", "v1.13.0", "v1.13.6-rc.1", "v1.13.6+local"])
    expect(borrowedLoaderLine(version)).toBeUndefined();
  for (const version of ["v1.13.9", "v1.13.10-rc.0"]) {
    const line = borrowedLoaderLine(version);
    expect(line).toContain(`Talos ${version} is checked by the loader of Talos v1.13.6, `);
    expect(line).not.toContain("\n");
  }
});

test("each loader is built of the machinery of its release", () => {
  for (const minor of MINORS) {
    const module = readFileSync(join(MODULES, `talos-${minor}.mod`), "utf8");
    expect(module).toContain(`github.com/siderolabs/talos/pkg/machinery v${LOADERS[minor]}\n`);
  }
});
