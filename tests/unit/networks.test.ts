import ipaddr from "ipaddr.js";
import { networksBut, overlap, withoutHeld } from "../../stack/networks";

test("a network without one address is the halves that the address is not in", () => {
  expect(networksBut(29, "10.10.10.6")).toEqual(["10.10.10.0/30", "10.10.10.4/31", "10.10.10.7/32"]);
});

test.each([
  [24, "10.10.10.100"],
  [22, "192.168.255.254"],
  [31, "255.255.255.254"],
])("each other address of a /%i is in one of the networks, and %s in none", (prefix, address) => {
  const networks = networksBut(prefix, address).map((each) => ipaddr.IPv4.parseCIDR(each));
  const first = ipaddr.IPv4.networkAddressFromCIDR(`${address}/${prefix}`);
  const [start, size] = [Buffer.from(first.toByteArray()).readUInt32BE(), 2 ** (32 - prefix)];
  for (let number = start; number < start + size; number++) {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    const each = new ipaddr.IPv4([...bytes]);
    const within = networks.filter(([network, length]) => each.match(network, length)).length;
    expect([each.toString(), within]).toEqual([each.toString(), each.toString() === address ? 0 : 1]);
  }
});

test.each([
  ["192.168.1.0/24", "192.168.1.128/25", true],
  ["192.168.1.128/25", "192.168.0.0/16", true],
  ["192.168.1.0/25", "192.168.1.128/25", false],
  ["10.10.10.7/32", "10.10.10.0/24", true],
])("whether %s and %s overlap: %s", (one, other, does) => {
  expect([overlap(one, other), overlap(other, one)]).toEqual([does, does]);
});

test("of networks that hold one another, and of the same one twice, one stays", () => {
  const given = ["192.168.1.7/32", "10.0.0.0/8", "192.168.1.0/24", "10.0.0.0/8", "192.168.2.0/24"];
  expect(withoutHeld(given)).toEqual(["10.0.0.0/8", "192.168.1.0/24", "192.168.2.0/24"]);
});
