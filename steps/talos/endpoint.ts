import ipaddr from "ipaddr.js";
import { error, warning, type Finding } from "../../stack/finding";
import { hostOf } from "./hosts";
import type { NodeConfig } from "./node-config";
import type { Surroundings } from "./surroundings";

/** The lease that this project's documents and defaults use. */
const USUAL_LEASE = "10.10.10.100";

/** What is wrong with the address under which the cluster is reached, and what is only odd. */
export function judgeEndpoint(
  { machineType, endpoint, vips }: NodeConfig,
  { applianceCidr, minipcIp, joins, leases = [] }: Surroundings,
): Finding[] {
  const said = `the cluster's endpoint ${endpoint}`;
  const [link, prefix] = ipaddr.IPv4.parseCIDR(applianceCidr);
  const host = hostOf(endpoint);
  const isWorker = machineType === "worker";
  if (host === "") return [error("endpoint", "the cluster's endpoint is missing or not a URL")];
  if (host === link.toString())
    return [error("endpoint", `${said} is the appliance, which goes away; the mini-PC is ${minipcIp}`)];
  if (host === minipcIp) {
    if (isWorker)
      return [
        error(
          "endpoint",
          `${said} is this worker's own lease, but only a control plane answers there: set its address`,
        ),
      ];
    return joins
      ? [
          warning(
            "endpoint-is-itself",
            `${said} is the mini-PC's own lease, but joins is true: it would find only itself there`,
          ),
        ]
      : [];
  }
  if (!ipaddr.IPv4.isValid(host) || isWorker || vips.includes(host)) return [];
  if (ipaddr.IPv4.parse(host).match(link, prefix)) {
    if (joins) return [];
    return [
      error(
        "endpoint",
        `${said} is on the isolated link but neither minipcIp ${minipcIp} nor a vip of the config ` +
          "(where another control plane has it, set joins to true)",
      ),
    ];
  }
  // Off the link is where a cluster lives for good, so only what was a lease is suspect.
  return [...leases, USUAL_LEASE].includes(host)
    ? [
        warning(
          "endpoint-was-a-lease",
          `${said} looks like an earlier lease: the mini-PC has ${minipcIp} on ${applianceCidr} and is not reached there. ` +
            "It is right only if the mini-PC moves to a network where it has that address",
        ),
      ]
    : [];
}
