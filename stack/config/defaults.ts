import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { TOP } from "../top";
import { addressesOf, subnetOf } from "./subnet";
import { hostCidr, isIpv4, mac } from "./values";

/** Namespace of every config key: the name of the project in Pulumi.yaml. */
export const NAMESPACE = "bootstrap-pxe";

let defaults: Record<string, string> | undefined;

/** What each key is where a stack does not set it: the checkout's own value or the default of Pulumi.yaml. An empty one counts as not set. */
export function declaredDefaults(): Record<string, string> {
  if (defaults) return defaults;
  const project = parse(readFileSync(join(TOP, "Pulumi.yaml"), "utf8")) as {
    config: Record<string, { value?: string | number | boolean; default: string }>;
  };
  defaults = Object.fromEntries(
    Object.entries(project.config).map(([key, { value, default: otherwise }]) => [
      key.slice(NAMESPACE.length + 1),
      String(value ?? otherwise),
    ]),
  );
  return defaults;
}

/** What of a stack's config its mini-PC or its appliance has for itself. What is not set or not right is left out. */
export interface Machine {
  mac?: string;
  lease?: string;
  /** The isolated link, as NETWORK/PREFIX. */
  link?: string;
  /** The appliance's own address on an uplink network without DHCP. */
  uplinkAddress?: string;
}

/** @param given values by key, without the namespace */
export function machineOf(given: Record<string, string>): Machine {
  const value = (key: string) => given[key] || declaredDefaults()[key];
  const subnet = subnetOf(value("applianceCidr"));
  const uplink = value("uplink") === "false" ? undefined : hostCidr.safeParse(value("uplinkCidr")).data;
  const pinned = mac.safeParse(given.minipcMac);
  const lease = given.minipcIp || (subnet && addressesOf(subnet).minipcIp);
  return {
    mac: pinned.success ? pinned.data : undefined,
    lease: lease && isIpv4(lease) ? lease : undefined,
    link: subnet && `${subnet.network}/${subnet.prefix}`,
    uplinkAddress: uplink?.address,
  };
}

/** The image that a stack makes, a path from the checkout's top. */
export function imageOf(given: Record<string, string>): string {
  const value = (key: string) => given[key] || declaredDefaults()[key] || "";
  return `artifacts/bootstrap/${value("bootstrapVersion")}/${value("artifactName")}.raw`;
}
