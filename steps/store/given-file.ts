import { accessSync, constants, lstatSync, readlinkSync, statSync } from "node:fs";

/** What a system's error says of a path, in words. */
const IN_WORDS: Record<string, string> = {
  ENOTDIR: "a part of its path is a file and no folder",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it",
  ELOOP: "it is a symbolic link that leads back to itself",
  ENAMETOOLONG: "its path is too long for a file",
};

/** Why a file that a person named cannot be read. */
export interface FileFault {
  /** What is wrong with it, in words that follow its name. */
  words: string;
  /** Whether nothing was ever put there: there is no such file, or it has no content. */
  isAbsent: boolean;
}

function whyMissing(path: string): FileFault {
  const link = lstatSync(path, { throwIfNoEntry: false });
  return link?.isSymbolicLink()
    ? { words: `it is a symbolic link to ${readlinkSync(path)}, which is not there`, isAbsent: false }
    : { words: "no such file", isAbsent: true };
}

/** What is wrong with a file that a person named, before anything of it is read; undefined when it can be read. */
export function fileFault(path: string): FileFault | undefined {
  try {
    const found = statSync(path);
    if (found.isDirectory()) return { words: "it is a folder", isAbsent: false };
    if (!found.isFile()) return { words: "it is no regular file", isAbsent: false };
    accessSync(path, constants.R_OK);
    return found.size === 0 ? { words: "it is empty", isAbsent: true } : undefined;
  } catch (fault) {
    const { code = "", message } = fault as NodeJS.ErrnoException;
    if (code === "ENOENT") return whyMissing(path);
    // Where a folder above it is a file, nothing was put below that either.
    return { words: IN_WORDS[code] ?? message, isAbsent: code === "ENOTDIR" };
  }
}

/** As {@link fileFault}, in words alone. */
export const whyUnreadable = (path: string): string | undefined => fileFault(path)?.words;
