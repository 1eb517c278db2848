import { accessSync, constants, lstatSync, readlinkSync, statSync } from "node:fs";

/** What a system's error says of a path, in words. */
const IN_WORDS: Record<string, string> = {
  ENOTDIR: "a part of its path is a file and no folder",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it",
  ELOOP: "it is a symbolic link that leads back to itself",
  ENAMETOOLONG: "its path is too long for a file",
};

function whyMissing(path: string): string {
  const link = lstatSync(path, { throwIfNoEntry: false });
  return link?.isSymbolicLink()
    ? `it is a symbolic link to ${readlinkSync(path)}, which is not there`
    : "no such file";
}

/** What is wrong with a file that a person named, before anything of it is read; undefined when it can be read. */
export function whyUnreadable(path: string): string | undefined {
  try {
    const found = statSync(path);
    if (found.isDirectory()) return "it is a folder";
    if (!found.isFile()) return "it is no regular file";
    accessSync(path, constants.R_OK);
    return found.size === 0 ? "it is empty" : undefined;
  } catch (fault) {
    const { code = "", message } = fault as NodeJS.ErrnoException;
    return code === "ENOENT" ? whyMissing(path) : (IN_WORDS[code] ?? message);
  }
}
