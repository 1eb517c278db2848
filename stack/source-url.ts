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

/** A query, or a fragment, of a URL on the network (RFC 3986, sections 3.4 and 3.5): a signature or a token, as a rule. */
const QUERY = /[?#].*$/s;

/**
 * A source's URL in two: what names it, which may be recorded and shown, and its query, which may be secret. A new signature
 * of the same path names the same source. What a file's name has of these characters stays.
 */
export function splitQuery(url: string): { url: string; query: string } {
  const query = isFileUrl(url) ? "" : (QUERY.exec(url)?.[0] ?? "");
  return { url: url.slice(0, url.length - query.length), query };
}

/** A user and a password in a URL (RFC 3986, section 3.2.1). State, previews and process arguments would show them. */
export const USER_INFO = /\/\/[^/?#]*@/;
export const NO_USER_INFO = "it names a user or a password, which would be shown";

/** A text without what a URL in it may have of secrets, for a message. */
export const withoutUrlSecrets = (text: string): string =>
  text.includes("://") ? text.replace(USER_INFO, "//[secret]@").replace(QUERY, "?[secret]") : text;
