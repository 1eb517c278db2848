"use strict";

const { lstatSync, readFileSync, readdirSync, rmSync, statSync } = require("node:fs");
const { basename, dirname, join } = require("node:path");
const { TICKS_PER_SECOND, isAlive, pidNamespace, startedAt } = require("../frame/processes.cjs");

/** Where the images of all stacks are made, a path from the checkout's top. Their half-made forerunners hold secrets too. */
const IMAGES = "artifacts/bootstrap";

/** The end of a temporary name: what its maker's pid is counted in (not in names of earlier versions), and that pid. */
const PARTIAL = /\.partial-(?:(\d+)-)?(\d+)$/;

const DAY_MS = 24 * 3600 * 1000;
/** The kernel's times of files lag behind by a tick, and its time of start-up is a whole second. */
const SLACK_MS = 5000;

/**
 * When a process started, in milliseconds since 1970; undefined when that cannot be told.
 *
 * @param {number} pid
 */
function startOf(pid) {
  const ticks = startedAt(pid);
  try {
    const boot = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1];
    return ticks && boot ? (Number(boot) + Number(ticks) / TICKS_PER_SECOND) * 1000 : undefined;
  } catch {
    return undefined;
  }
}

/** How many names each target was given. @type {Map<string, number>} */
const given = new Map();

/**
 * A name beside `target` that nobody else writes to, in this process either: steps do things side by side.
 *
 * @param {string} target
 */
function partialName(target) {
  const count = given.get(target) ?? 0;
  given.set(target, count + 1);
  const mark = count === 0 ? "" : `.${count}`;
  return join(dirname(target), `.${basename(target)}${mark}.partial-${pidNamespace()}-${process.pid}`);
}

/**
 * Whether a name is a temporary one that no process writes to any more.
 *
 * @param {string} name
 * @param {number} written when it was last written to, in milliseconds since 1970
 */
function hasNoMaker(name, written) {
  const [, namespace = pidNamespace(), pid] = PARTIAL.exec(name) ?? [];
  if (pid === undefined) return false;
  // Of a container's process nothing shows from outside, but none takes a day.
  if (namespace !== pidNamespace()) return Date.now() - written > DAY_MS;
  // After a restart of the machine, the pid may be that of something else.
  return !isAlive(Number(pid)) || (startOf(Number(pid)) ?? 0) > written + SLACK_MS;
}

/** @param {string} path */
function isAbandoned(path) {
  // Unlike its other times, nobody can put this one back.
  const written = lstatSync(path, { throwIfNoEntry: false })?.ctimeMs;
  return written !== undefined && hasNoMaker(basename(path), written);
}

/**
 * Does something, unless it belongs to another user, who alone may do it.
 *
 * @param {() => void} work
 */
function whereAllowed(work) {
  try {
    work();
  } catch (fault) {
    const { code = "" } = /** @type {NodeJS.ErrnoException} */ (fault);
    if (!["EACCES", "EPERM", "EROFS"].includes(code)) throw fault;
  }
}

/**
 * Removes what killed runs left in a folder under temporary names; what another user left is passed over.
 *
 * @param {string} folder it may be missing
 */
function sweepPartials(folder) {
  whereAllowed(() => {
    for (const path of namesIn(folder).filter(isAbandoned))
      whereAllowed(() => rmSync(path, { recursive: true, force: true }));
  });
}

/**
 * As {@link sweepPartials}, in every folder of a cache that keeps one for each key: nobody may ask for that key again.
 *
 * @param {string} folder it may be missing
 */
function sweepCache(folder) {
  for (const path of namesIn(folder))
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) sweepPartials(path);
}

/**
 * The paths of what lies in a folder, none when there is none.
 *
 * @param {string} folder
 */
function namesIn(folder) {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch (fault) {
    // Somebody may remove it at this moment.
    if (/** @type {NodeJS.ErrnoException} */ (fault).code === "ENOENT") return [];
    throw fault;
  }
}

/**
 * Removes the half-made images of killed runs, of whatever version and stack: each holds a whole machine config.
 *
 * @param {string} [top] the checkout's
 */
const sweepImages = (top = ".") => sweepCache(join(top, IMAGES));

module.exports = { hasNoMaker, namesIn, partialName, sweepCache, sweepImages, sweepPartials };
