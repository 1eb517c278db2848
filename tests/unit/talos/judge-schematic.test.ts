import { factoryInstaller, PLAIN_SCHEMATIC } from "../../../stack/image-factory";
import { judgeSchematic } from "../../../steps/talos/judge-schematic";
import { edited, found, made, without } from "./cases";

const A = "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515";
const B = "b".repeat(64);
const PLAIN = "ghcr.io/siderolabs/installer:v1.11.6";

/** What is found, its level and words, of an installer that `machine.install` names, or a document. */
const judged = (schematic: string | undefined, image: string, byDocument = false) =>
  judgeSchematic({ schematic, talosVersion: "v1.11.6" }, { image, byDocument }).map(
    ({ level, text }) => `${level}: ${text}`,
  );

test.each([
  [undefined, PLAIN],
  [undefined, ""],
  [undefined, `factory.talos.dev/metal-installer/${PLAIN_SCHEMATIC}:v1.11.6`],
  [PLAIN_SCHEMATIC, PLAIN],
  [A, factoryInstaller(A, "v1.11.6")],
  [A, `factory.talos.dev/installer/${A}:v1.11.6`],
  [A, `factory.talos.dev/metal-installer-secureboot/${A}:v1.11.6`],
  [A, `factory.example.org:5000/mirror/metal-installer/${A}:v1.11.6`],
  [A, `factory.talos.dev/metal-installer/${A}@sha256:${B}`],
  [A, `factory.talos.dev/metal-installer/${A}`],
])("an ISO of the schematic %s and the installer %s are of one kind", (schematic, image) => {
  expect(judged(schematic, image)).toEqual([]);
});

test("another schematic, and the plain installer, are errors that name both", () => {
  const right = `the installed system would lack the extensions of the one that is booted. Write ${factoryInstaller(A, "v1.11.6")}`;
  const other = factoryInstaller(B, "v1.11.6");
  expect(judged(A, other)).toEqual([
    `error: talosSchematic is ${A}, but the installer's image ${other} is of the schematic ${B}: ${right}`,
  ]);
  for (const plain of [PLAIN, `registry.example.org/siderolabs/installer@sha256:${B}`])
    expect(judged(A, plain)).toEqual([
      `error: talosSchematic is ${A}, but the installer's image ${plain} is the plain one: ${right}`,
    ]);
  expect(judged(A, factoryInstaller(PLAIN_SCHEMATIC, "v1.11.6"))).toEqual([
    expect.stringContaining(`is of the schematic ${PLAIN_SCHEMATIC}`),
  ]);
});

test("where a config's sections name no installer, Talos takes the plain one", () => {
  expect(judged(undefined, "")).toEqual([]);
  expect(judged(PLAIN_SCHEMATIC, "")).toEqual([]);
  expect(judged(A, "")).toEqual([
    expect.stringMatching(/^error: .*names no installer's image, and Talos takes the plain/),
  ]);
});

test("where its UnattendedInstallConfig names none, Talos takes that of the ISO's schematic, which not each has", () => {
  expect(judged(A, "", true)).toEqual([]);
  expect(judged(PLAIN_SCHEMATIC, "", true)).toEqual([]);
  expect(judged(undefined, "", true)).toEqual([
    expect.stringMatching(
      /^warning: .*an ISO that no Image Factory made has none, and the installation fails there/,
    ),
  ]);
});

test("Talos 1.14 takes the plain one, too, where it is its sections that name none", () => {
  const bySections = edited(without(made("v1.14.1"), "UnattendedInstallConfig"), {
    "machine.install": { disk: "/dev/sda" },
  });
  const byDocument = edited(made("v1.14.1"), { installer: {} }, "UnattendedInstallConfig");
  const around = { talosVersion: "v1.14.1" };
  expect(found(bySections, { ...around, schematic: A })).toEqual([
    expect.stringMatching(/^error installer-schematic: /),
  ]);
  expect(found(bySections, around)).toEqual([]);
  expect(found(byDocument, { ...around, schematic: A })).toEqual([]);
  expect(found(byDocument, around)).toEqual([expect.stringMatching(/^warning installer-schematic: /)]);
});

test("what cannot be decided is a warning: a self-made installer, and one of a schematic for a plain ISO", () => {
  expect(judged(A, "registry.example.org/installer:v1.11.6")).toEqual([
    expect.stringMatching(/^warning: .*registry\.example\.org\/installer:v1\.11\.6 names no schematic/),
  ]);
  expect(judged(undefined, factoryInstaller(A, "v1.11.6"))).toEqual([
    expect.stringMatching(new RegExp(`^warning: .* of the schematic ${A}, but talosSchematic is not set`)),
  ]);
  expect(judged(PLAIN_SCHEMATIC, factoryInstaller(A, "v1.11.6"))).toEqual([
    expect.stringContaining(`but talosSchematic is ${PLAIN_SCHEMATIC}`),
  ]);
});

test("it is found in both forms of a config, and not where nothing is installed", () => {
  const wrong = [expect.stringMatching(/^error installer-schematic: /)];
  expect(found(made("v1.11.6"), { schematic: A })).toEqual(wrong);
  expect(found(made("v1.14.1"), { schematic: A })).toEqual(wrong);
  const none = without(made("v1.14.1"), "UnattendedInstallConfig");
  expect(found(none, { schematic: A })).toEqual([expect.stringMatching(/^warning no-install: /)]);
});
