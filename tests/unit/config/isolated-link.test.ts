import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { checkConfig } from "../../../stack/config";
import { enough, faultsOf } from "./given";

test.each(["100.64.0.2/24", "8.8.8.2/24", "192.0.2.2/24", "198.18.0.2/15", "240.0.0.2/24", "169.253.0.2/16"])(
  "an isolated link with the addresses of %s is odd and legal",
  (applianceCidr) => {
    expect(faultsOf({ applianceCidr })).toEqual([]);
  },
);

/** The address keys that a stack has which sets only its appliance's. */
const addressesWith = (applianceCidr: string) => {
  const { minipcIp, dhcpRange } = checkConfig({ ...enough, applianceCidr }, "lab", [], {});
  return [minipcIp, dhcpRange.first, dhcpRange.last];
};

test.each([
  ["10.10.10.2/24", ["10.10.10.100", "10.10.10.50", "10.10.10.60"]],
  ["192.168.77.1/24", ["192.168.77.100", "192.168.77.50", "192.168.77.60"]],
  ["172.16.0.2/12", ["172.16.0.100", "172.16.0.50", "172.16.0.60"]],
  ["10.0.0.100/24", ["10.0.0.101", "10.0.0.50", "10.0.0.60"]],
  ["10.0.0.55/24", ["10.0.0.100", "10.0.0.100", "10.0.0.100"]],
  ["192.168.7.1/28", ["192.168.7.14", "192.168.7.14", "192.168.7.14"]],
  ["192.168.7.2/30", ["192.168.7.1", "192.168.7.1", "192.168.7.1"]],
])("one command changes the subnet: the lease and the range follow %s", (cidr, addresses) => {
  expect(addressesWith(cidr)).toEqual(addresses);
});

test("an appliance's address that is right by itself is right with the lease and the range that follow it", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const subnets = fc.tuple(fc.tuple(octet, octet, octet, octet), fc.integer({ min: 8, max: 30 }));
  fc.assert(
    fc.property(subnets, ([own, prefix]) => {
      const faults = faultsOf({ applianceCidr: `${own.join(".")}/${prefix}` });
      expect(faults.filter((fault) => !fault.startsWith("applianceCidr"))).toEqual([]);
    }),
  );
});

test("for a subnet that cannot be read, only the subnet is reported", () => {
  expect(faultsOf({ applianceCidr: "10.10.10.2/33" })).toHaveLength(1);
});

test("an address on the link is accepted if and only if it is a host of the subnet and not the appliance", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(
      fc.tuple(octet, octet, octet, octet),
      fc.integer({ min: 8, max: 30 }),
      fc.tuple(octet, octet, octet, octet),
      (own, prefix, other) => {
        const cidr = `${own.join(".")}/${prefix}`;
        const link = [
          ipaddr.IPv4.networkAddressFromCIDR(cidr),
          ipaddr.IPv4.broadcastAddressFromCIDR(cidr),
        ].map(String);
        fc.pre(!link.includes(own.join(".")));
        fc.pre(!faultsOf({ applianceCidr: cidr }).some((fault) => fault.startsWith("applianceCidr")));
        const lease = other.join(".");
        const fits =
          ipaddr.IPv4.parse(lease).match(ipaddr.IPv4.parseCIDR(cidr)) &&
          lease !== own.join(".") &&
          !link.includes(lease);
        const faults = faultsOf({ applianceCidr: cidr, minipcIp: lease, dhcpRange: `${lease}-${lease}` });
        expect(faults.filter((fault) => fault.startsWith("minipcIp")).length).toBe(fits ? 0 : 1);
      },
    ),
  );
});
