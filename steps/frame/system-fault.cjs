"use strict";

const { lstatSync, statSync } = require("node:fs");
const { dirname, relative } = require("node:path");

/** What a system call was for, where its name alone does not say it. @type {Record<string, string>} */
const DOING = {
  open: "opening",
  mkdir: "making the folder",
  mkdtemp: "making a folder like",
  scandir: "reading the folder",
  opendir: "reading the folder",
  rename: "renaming",
  unlink: "removing",
  rmdir: "removing",
  rm: "removing",
  stat: "looking at",
  lstat: "looking at",
  access: "looking at",
  readlink: "looking at",
  copyfile: "copying",
  link: "linking",
  symlink: "linking",
  chmod: "changing the mode of",
  utime: "changing the time of",
  truncate: "writing",
  write: "writing",
  read: "reading",
  statfs: "looking at",
};

/** What was found, and what to do about it. @typedef {(path: string, syscall: string) => [found: string, next: string]} Judgement */

/** @type {Judgement} */
const notAllowed = (path) => [
  `this user may not do that${ownerOf(path)}`,
  "Give it back to this user (chown, chmod), or remove what an earlier run as another user left",
];
/** @type {Judgement} */
const fileInTheWay = (path) => [
  `${shown(fileAbove(path))} is a file, and a folder goes there`,
  "Move it away and run the same again",
];

/** By the code of the system's error, errno(3). @type {Record<string, Judgement>} */
const JUDGEMENTS = {
  EACCES: notAllowed,
  EPERM: notAllowed,
  EROFS: () => ["its file system is read-only", "Work in a place that can be written"],
  EISDIR: () => ["there is a folder where a file goes", "Move it away and run the same again"],
  ENOTEMPTY: () => ["there is a folder where a file goes", "Move it away and run the same again"],
  ENOTDIR: fileInTheWay,
  EEXIST: (path, syscall) =>
    syscall === "mkdir"
      ? fileInTheWay(path, syscall)
      : ["there is one already", "Move it away and run the same again"],
  ENOENT: () => [
    "it is gone, as if something removed it during the run",
    "Let nothing remove it, and run the same again",
  ],
  ELOOP: () => ["it is a symbolic link that leads back to itself", "Remove it and run the same again"],
  ENAMETOOLONG: () => ["its path is too long for a file", "Take a shorter name or another folder"],
};

/** @param {string} path */
function shown(path) {
  const below = relative(process.cwd(), path);
  return below === "" || below.startsWith("..") ? path : below;
}

/** The part of a path that is a file, although more follows. @param {string} path */
function fileAbove(path) {
  for (let above = path; above !== dirname(above); above = dirname(above))
    if (lookAt(above)?.isFile()) return above;
  return path;
}

/** @param {string} path */
function lookAt(path) {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Whose the nearest part of a path is, where that is another user. @param {string} path */
function ownerOf(path) {
  for (let above = path; above !== dirname(above); above = dirname(above)) {
    try {
      const { uid } = lstatSync(above);
      return uid === process.getuid?.()
        ? ""
        : `: ${shown(above)} belongs to ${uid === 0 ? "root" : `user ${uid}`}`;
    } catch {
      // It is not there, or not to be seen: what is above it is.
    }
  }
  return "";
}

/**
 * What a fault of the file system means, in the parts of a message; undefined for any other fault.
 *
 * @param {unknown} fault
 * @returns {{ doing: string, found: string, next: string } | undefined}
 */
function systemFault(fault) {
  const {
    code = "",
    syscall = "",
    path,
    dest,
  } = /** @type {NodeJS.ErrnoException & { dest?: string }} */ (fault ?? {});
  // Node has names of its own for what rm() refuses.
  const judge = JUDGEMENTS[code.replace(/^ERR_FS_/, "")];
  if (!judge || !syscall || !(syscall in DOING)) return undefined;
  const [what, place] = [path ?? "a file", dest ?? path ?? ""];
  const [found, next] = judge(place, syscall);
  const doing = `${DOING[syscall]} ${path ? shown(what) : what}${dest ? ` to ${shown(dest)}` : ""}`;
  return { doing, found, next };
}

module.exports = { systemFault };
