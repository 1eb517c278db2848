import fc from "fast-check";
import { checkConfig } from "../../../stack/config";
import { enough, faultsOf } from "./given";

test.each(["00-11-22-33-44-AA", "0011.2233.44aa", "00:11:22:33:44:aa", "00:11:22:33:44:AA"])(
  "MAC form %s is understood",
  (minipcMac) => {
    expect(checkConfig({ ...enough, minipcMac }, "lab").minipcMac).toBe("00:11:22:33:44:aa");
  },
);

test.each([
  ["01:00:5e:00:00:01", "a multicast address"],
  ["00:00:00:00:00:00", "all zero"],
  ["ff:ff:ff:ff:ff:ff", "the broadcast address"],
  ["00:11:22:33:44", "not a MAC address"],
  ["zz:11:22:33:44:55", "not a MAC address"],
  ["0011.2233.4455", "the example in the documents; set the MAC of the real mini-PC"],
])("MAC %s is refused: %s", (minipcMac, wrong) => {
  expect(faultsOf({ minipcMac })).toEqual([expect.stringContaining(wrong)]);
});

test("the MAC of a single machine survives normalisation, whatever its form", () => {
  const bytes = fc
    .uint8Array({ minLength: 6, maxLength: 6 })
    .filter((mac) => (mac[0] ?? 1) % 2 === 0 && mac.some((byte) => byte > 0));
  fc.assert(
    fc.property(bytes, fc.constantFrom(":", "-"), fc.boolean(), (mac, separator, upper) => {
      const hex = [...mac].map((byte) => byte.toString(16).padStart(2, "0"));
      const written = upper ? hex.join(separator).toUpperCase() : hex.join(separator);
      expect(checkConfig({ ...enough, minipcMac: written }, "lab").minipcMac).toBe(hex.join(":"));
    }),
  );
});
