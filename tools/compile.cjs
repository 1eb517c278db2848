"use strict";

const { createHash } = require("node:crypto");
const { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } = require("node:fs");
const { join, resolve } = require("node:path");

/** @typedef {Record<string, string>} Digests digest of each step's code, by the step's name */

const TOP = resolve(__dirname, "..");
const FOLDER_NAME = join("artifacts", "cache", "code");
const FOLDER = join(TOP, FOLDER_NAME);
/** What was compiled from which sources; written last. */
const LIST = join(FOLDER, "list.json");

/** @param {string} path */
function stateOf(path) {
  const state = statSync(path, { throwIfNoEntry: false });
  return state && `${state.size} ${state.mtimeMs} ${state.ino}`;
}

/** What all sources are now, without reading them. */
function sourcesState() {
  const folders = ["stack", "components", "steps", "rehearsal"].flatMap((folder) =>
    readdirSync(join(TOP, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
  );
  const top = readdirSync(TOP).filter((name) => /\.ts$|^package-lock\.json$/.test(name));
  const states = [...folders, ...top.map((name) => join(TOP, name)), join(TOP, "tools", "compile.cjs")]
    .sort()
    .map((path) => `${path} ${stateOf(path)}`);
  return createHash("sha256").update(states.join("\n")).digest("hex");
}

/** @returns {{ sources: string, digests: Digests, bundles: Record<string, string> } | undefined} */
function readList() {
  try {
    return JSON.parse(readFileSync(LIST, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Writes a whole file: of two runs that compile at once, both end with it.
 *
 * @param {string} path
 * @param {string} text
 */
function writeWhole(path, text) {
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, text);
  renameSync(partial, path);
}

/**
 * @param {string[]} entryPoints
 * @param {import("esbuild").BuildOptions} options
 * @returns {[name: string, text: string][]}
 */
function bundle(entryPoints, options, top = TOP) {
  // What is left out of a bundle is named by its path from there.
  const outdir = join(top, FOLDER_NAME);
  const { outputFiles = [] } = require("esbuild").buildSync({
    entryPoints: entryPoints.map((path) => join(top, path)),
    bundle: true,
    platform: "node",
    legalComments: "none",
    minifyWhitespace: true,
    outdir,
    absWorkingDir: top,
    outExtension: { ".js": ".cjs" },
    write: false,
    ...options,
  });
  return outputFiles.map(({ path, text }) => [path.slice(outdir.length + 1, -".cjs".length), text]);
}

/** @param {string} top the checkout */
const stepsOf = (top) =>
  readdirSync(join(top, "steps"))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join("steps", name));

/**
 * What each step does, as a digest of its code and of all that it computes with: without comments, layout, what comes from npm,
 * and the frame that it runs in, so that an edit which changes no byte of what it makes rebuilds nothing.
 *
 * @param {string} [top] the checkout
 * @returns {Digests}
 */
function digestsOf(top = TOP) {
  const options = { packages: /** @type {const} */ ("external"), external: [join(top, "steps/frame/*")] };
  return Object.fromEntries(
    bundle(stepsOf(top), options, top).map(([name, text]) => [
      name,
      createHash("sha256").update(text).digest("hex").slice(0, 20),
    ]),
  );
}

/**
 * Bundles the program and every step, each into one file that Node starts several times as fast as TypeScript, unless
 * that was done for the sources as they are.
 *
 * @returns {{ program: string, digests: Digests }} program: the file to load
 */
function compile() {
  const program = join(FOLDER, "program", "index.cjs");
  const sources = sourcesState();
  const held = readList();
  const isWhole = Object.entries(held?.bundles ?? {}).every(([path, state]) => stateOf(path) === state);
  if (held?.sources === sources && isWhole) return { program, digests: held.digests };

  mkdirSync(join(FOLDER, "program"), { recursive: true });
  const digests = digestsOf();
  /** @type {[path: string, text: string][]} */
  const bundles = bundle(stepsOf(TOP), {}).map(([name, text]) => [join(FOLDER, `${name}.cjs`), text]);
  // A linked cache folder may lie anywhere: the program still belongs to this checkout, with the SDK that the engine's start-up loaded.
  const pulumi = join(TOP, "node_modules", "@pulumi");
  const alias = Object.fromEntries(
    readdirSync(pulumi).map((name) => [`@pulumi/${name}`, join(pulumi, name)]),
  );
  const define = { __dirname: JSON.stringify(TOP) };
  for (const [, text] of bundle(["index.ts"], { alias, define, external: [`${pulumi}/*`] }))
    bundles.push([program, text]);
  for (const [path, text] of bundles) writeWhole(path, text);
  const states = Object.fromEntries(bundles.map(([path]) => [path, stateOf(path)]));
  writeWhole(LIST, JSON.stringify({ sources, digests, bundles: states }));
  return { program, digests };
}

module.exports = { compile, digestsOf };
