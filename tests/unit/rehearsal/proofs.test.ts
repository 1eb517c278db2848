import { strangersAddress, type Site } from "../../../steps/rehearsal/proofs";

const on = (applianceCidr: string, minipcIp: string) =>
  strangersAddress({ applianceCidr, applianceIp: applianceCidr.split("/")[0], minipcIp } as Site);

test("a stranger takes an address that is nobody's: neither the appliance's, the lease, the network nor the broadcast", () => {
  expect(on("10.10.10.2/24", "10.10.10.100")).toBe("10.10.10.254");
  expect(on("10.10.10.254/24", "10.10.10.253")).toBe("10.10.10.252");
  expect(on("192.168.7.1/29", "192.168.7.6")).toBe("192.168.7.5");
});

test("a subnet of two has none to spare", () => {
  expect(on("192.168.7.1/30", "192.168.7.2")).toBeUndefined();
});
