import { filePath, isFileUrl } from "./source-url";

/** What is wrong with a `file://` URL, whether or not its file is there; undefined for every other one. */
export function fileUrlFault(url: string): string | undefined {
  if (!isFileUrl(url)) return undefined;
  try {
    filePath(url);
  } catch {
    return "not a file's URL: in one, a % of a path is written %25, and a / is no part of a name";
  }
  const meansMore = url.startsWith("file:///") && /[?#]/.test(url);
  return meansMore ? "a # or ? of a path is written %23 or %3F in a URL" : undefined;
}
