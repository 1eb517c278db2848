"use strict";

const { createHash } = require("node:crypto");
const {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} = require("node:fs");
const { join } = require("node:path");

/** @typedef {{ recipe: string, from: string, version: string, files: { path: string, size: number, mtimeMs: number }[] }} Stamp */

/** @param {string} path */
function seen(path) {
  const { size, mtimeMs } = statSync(path);
  return { path, size, mtimeMs };
}

/**
 * @param {string} cache
 * @param {string} name
 */
const stampFile = (cache, name) => join(cache, "stamps", `${name}.json`);

/**
 * What is known of a tool, if its recipe is still the same and none of its files changed since. Reads no more
 * than the stamp and the files' sizes and times.
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
    const same = stamp.files.every((file) => JSON.stringify(seen(file.path)) === JSON.stringify(file));
    return stamp.recipe === recipe && same ? stamp : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} cache
 * @param {string} name
 * @param {{ recipe: string, from: string, version: string, paths: string[] }} what
 */
function writeStamp(cache, name, { recipe, from, version, paths }) {
  mkdirSync(join(cache, "stamps"), { recursive: true });
  const target = stampFile(cache, name);
  writeFileSync(
    `${target}.${process.pid}`,
    JSON.stringify({ recipe, from, version, files: paths.map(seen) }),
  );
  renameSync(`${target}.${process.pid}`, target);
}

/**
 * A digest of what a tool is made from: plain data, and the files of folders.
 *
 * @param {unknown} data
 * @param {string[]} folders
 */
function recipeDigest(data, folders = []) {
  const hash = createHash("sha256").update(JSON.stringify(data));
  for (const folder of folders.filter((folder) => existsSync(folder))) {
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      if (statSync(path).isFile()) hash.update(`\0${name}\0`).update(readFileSync(path));
    }
  }
  return hash.digest("hex");
}

module.exports = { heldStamp, writeStamp, recipeDigest };
