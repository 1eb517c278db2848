import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Whether a source is a file of this machine. */
export function isFileUrl(url: string): boolean {
  return url.startsWith("file://");
}

/** Path of a `file://` URL; a relative one, as in `file://artifacts/…`, counts from `top`. */
export function filePath(url: string, top = process.cwd()): string {
  return url.startsWith("file:///")
    ? fileURLToPath(url)
    : resolve(top, decodeURIComponent(url.slice("file://".length)));
}
