import ipaddr from "ipaddr.js";
import type { Mirror, Variable } from "./node-config";

/** The host of a URL, without brackets around an IPv6 address; empty when it is no URL. */
export function hostOf(url: string): string {
  try {
    return new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
  } catch {
    return "";
  }
}

/**
 * Whether a cluster is reached elsewhere than on the isolated link, as far as its endpoint says: a name may be anywhere.
 *
 * @param cidr the appliance's address there, with its prefix length
 */
export function isElsewhere(endpoint: string, minipcIp: string, cidr: string): boolean {
  const host = hostOf(endpoint);
  if (host === minipcIp) return false;
  return !ipaddr.IPv4.isValid(host) || !ipaddr.IPv4.parse(host).match(ipaddr.IPv4.parseCIDR(cidr));
}

/** The host of a URL, with its port if it has one; empty when it is no URL. */
function hostAndPortOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return "";
  }
}

const hasScheme = (url: string) => url.includes("://");

/** A registry's mirrors, their hosts with their port. */
export const mirrorOf = (registry: string, endpoints: string[]): Mirror => ({
  registry,
  hosts: endpoints.filter(hasScheme).map(hostAndPortOf),
  withoutScheme: endpoints.filter((url) => !hasScheme(url)).map((url) => hostAndPortOf(`http://${url}`)),
});

/** Without its port, and without brackets around an IPv6 address. */
export const withoutPort = (host: string) =>
  ipaddr.IPv6.isValid(host) ? host : host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");

/** Variables by which Go's programs, Talos's among them, take a proxy (golang.org/x/net/http/httpproxy). */
const PROXY_VARIABLES = /^https?_proxy$/i;

/** The proxies among environment variables, hosts with their port; a proxy may be written without a scheme. */
export const proxiesOf = (variables: Variable[]) =>
  variables.flatMap(([name, value]) =>
    PROXY_VARIABLES.test(name) && typeof value === "string" && value !== ""
      ? hostAndPortOf(hasScheme(value) ? value : `http://${value}`)
      : [],
  );
