import type { StackConfig } from "./config/keys";

/** What the appliance is on an uplink network that has no DHCP server. */
export interface FixedUplink {
  /** Its own address there, with the prefix length. */
  cidr: string;
  /** Address of the router there. */
  gateway: string;
}

/** Unset where the uplink's address comes by DHCP, and where there is no uplink. */
export const fixedUplinkOf = ({ uplink, uplinkCidr, uplinkGateway }: StackConfig): FixedUplink | undefined =>
  uplink && uplinkCidr && uplinkGateway ? { cidr: uplinkCidr.cidr, gateway: uplinkGateway } : undefined;
