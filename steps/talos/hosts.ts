/** The host of a URL, without brackets around an IPv6 address; empty when it is no URL. */
export function hostOf(url: string): string {
  try {
    return new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
  } catch {
    return "";
  }
}

/** The host of a registry or a mirror, with its port if it has one; empty when it is no URL. */
export function hostAndPortOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return "";
  }
}

/** Without its port. */
export const withoutPort = (host: string) => host.replace(/:\d+$/, "");
