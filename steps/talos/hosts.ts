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

/** Variables by which Go's programs, Talos's among them, take a proxy (golang.org/x/net/http/httpproxy). */
const PROXY_VARIABLES = /^https?_proxy$/i;

/** The proxies among environment variables, hosts with their port; a proxy may be written without a scheme. */
export const proxiesOf = (variables: Record<string, unknown>) =>
  Object.entries(variables).flatMap(([name, value]) =>
    PROXY_VARIABLES.test(name) && typeof value === "string" && value !== ""
      ? hostAndPortOf(value.includes("://") ? value : `http://${value}`)
      : [],
  );
