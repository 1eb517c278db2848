"use strict";

const { createHash } = require("node:crypto");
const {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} = require("node:fs");
const { join, relative, resolve } = require("node:path");

/** @typedef {{ path: string, size: number, mtimeMs: number, sha256?: string }} StampedFile path: from the cache, if it lies in there, so that a cache can be moved */
/** @typedef {{ recipe: string, from: string, version: string, files: StampedFile[] }} Stamp */

/**
 * SHA-256 of a file, lower-case hex.
 *
 * @param {string} path
 */
function sha256Of(path) {
  const [hash, file, block] = [createHash("sha256"), openSync(path, "r"), Buffer.alloc(1 << 20)];
  try {
    for (let read; (read = readSync(file, block)) > 0;) hash.update(block.subarray(0, read));
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}

/**
 * @param {string} cache
 * @param {string} path
 */
const isInside = (cache, path) => resolve(path).startsWith(`${resolve(cache)}/`);

/**
 * @param {string} cache
 * @param {string} path
 * @returns {StampedFile}
 */
function seen(cache, path) {
  const { size, mtimeMs } = statSync(path);
  if (!isInside(cache, path)) return { path, size, mtimeMs };
  return { path: relative(resolve(cache), resolve(path)), size, mtimeMs, sha256: sha256Of(path) };
}

/**
 * @param {string} cache
 * @param {string} name
 */
const stampFile = (cache, name) => join(cache, "stamps", `${name}.json`);

/**
 * @param {string} cache
 * @param {string} name
 * @param {Stamp} stamp
 */
function keep(cache, name, stamp) {
  mkdirSync(join(cache, "stamps"), { recursive: true });
  const target = stampFile(cache, name);
  writeFileSync(`${target}.${process.pid}`, JSON.stringify(stamp));
  renameSync(`${target}.${process.pid}`, target);
}

/**
 * What is known of a tool, if its recipe is still the same and none of its files changed since. Reads no more
 * than the stamp and the files' sizes and times; a file of another time, as in a copied cache, is read once.
 *
 * @param {string} cache
 * @param {string} name
 * @param {string} recipe
 * @returns {Stamp | undefined}
 */
function heldStamp(cache, name, recipe) {
  try {
    /** @type {Stamp} */
    const stamp = JSON.parse(readFileSync(stampFile(cache, name), "utf8"));
    if (stamp.recipe !== recipe) return undefined;
    let copied = false;
    for (const file of stamp.files) {
      const path = resolve(cache, file.path);
      const { size, mtimeMs } = statSync(path);
      if (size !== file.size) return undefined;
      if (mtimeMs === file.mtimeMs) continue;
      if (file.sha256 === undefined || sha256Of(path) !== file.sha256) return undefined;
      file.mtimeMs = mtimeMs;
      copied = true;
    }
    if (copied) noteTimes(cache, name, stamp);
    return stamp;
  } catch {
    return undefined;
  }
}

/**
 * Keeps the files' new times, so that they are read no second time; a cache that cannot be written does without.
 *
 * @param {string} cache
 * @param {string} name
 * @param {Stamp} stamp
 */
function noteTimes(cache, name, stamp) {
  try {
    keep(cache, name, stamp);
  } catch {
    // They are read again then.
  }
}

/**
 * @param {string} cache
 * @param {string} name
 * @param {{ recipe: string, from: string, version: string, paths: string[] }} what
 */
function writeStamp(cache, name, { recipe, from, version, paths }) {
  keep(cache, name, { recipe, from, version, files: paths.map((path) => seen(cache, path)) });
}

/**
 * @param {string} folder
 * @returns {string[]} paths of its files and of its folders' files, from it
 */
function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/**
 * A digest of what a tool is made from: plain data, and the files of folders.
 *
 * @param {unknown} data
 * @param {string[]} folders
 * @param {(name: string) => boolean} [counts] whether a file of theirs is part of it
 */
function recipeDigest(data, folders = [], counts = () => true) {
  const hash = createHash("sha256").update(JSON.stringify(data));
  for (const folder of folders.filter((folder) => existsSync(folder))) {
    for (const name of filesIn(folder).filter(counts))
      hash.update(`\0${name}\0`).update(readFileSync(join(folder, name)));
  }
  return hash.digest("hex");
}

module.exports = { heldStamp, writeStamp, recipeDigest, sha256Of };
