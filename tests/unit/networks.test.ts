import ipaddr from "ipaddr.js";
import { networksBut } from "../../stack/networks";

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
