import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { TOP } from "../tools";
import { play as playIn } from "./link-hosts";
import { testFolder } from "./run-step";

const folder = testFolder();

/**
 * Sends a line from the lease's port until it is answered, prints the answer, and gives up after so many tries; or prints what it
 * hears; or answers everybody, saying to whom.
 */
const PEER = `
const { writeFileSync } = require("node:fs");
const socket = require("node:dgram").createSocket("udp4");
const [, , what, word, tries = 200] = process.argv;
if (what === "serve") {
  socket.on("message", (text, from) => {
    console.log("the appliance heard " + text);
    socket.send("answer to " + text, from.port, from.address);
  });
  socket.bind(53, "10.10.10.2", () => writeFileSync("serves", "yes"));
} else {
  let asked = 0;
  socket.on("message", (text) => {
    console.log(what + " has: " + text);
    if (word) process.exit();
  });
  const ask = () => (asked++ < tries ? socket.send(word, 53, "10.10.10.2") : process.exit());
  socket.bind(5000, "10.10.10.100", () => (word ? setInterval(ask, 300) : writeFileSync("listens", "yes")));
}
`;

/** The appliance answers what comes to UDP port 53, and notes it in the file `heard`, which is printed last. */
async function play(acts: string) {
  writeFileSync(join(folder, "peer.cjs"), PEER);
  const serves = `rm -f serves listens; node peer.cjs serve >heard & daemons=$!\nawait '[ -s serves ]'\n`;
  return playIn(folder, `${serves}${acts}\ncat heard`);
}

test("a DHCP server of the uplink that routes the lease's address to itself gets no answer that is the mini-PC's", async () => {
  const said = await play(`
nsenter -t $pc -n node peer.cjs mini-PC question
# As option 121 of the uplink's lease has it (RFC 3442).
ip route add 10.10.10.100/32 via 192.0.2.1
nsenter -t $host -n node peer.cjs host & listener=$!
await '[ -s listens ]'
nsenter -t $pc -n node peer.cjs mini-PC again 5
await 'grep -q again heard'
kill $listener
await '! kill -0 $listener'
nsenter -t $host -n node peer.cjs host theft 5
`);
  // The mini-PC's own connection is known to the firewall by now, and the host speaks in it.
  expect(said).toContain("mini-PC has: answer to question");
  expect(said).toContain("the appliance heard again");
  expect(said).not.toContain("host has");
  expect(said).not.toContain("heard theft");
});

test("what a DHCP server answers on the isolated link is counted, to whomever it goes, and a question is not", async () => {
  const send = (from: string, op: number, to: string) =>
    `nsenter -t $${from} -n node -e 'const s = require("node:dgram").createSocket("udp4"); s.bind(67, () => { s.setBroadcast(true); s.send(Buffer.from([${op}, 1, 6, 0]), 68, "${to}", () => s.close()); })'`;
  const own = send("pc", 2, "10.10.10.255")
    .replace(/^nsenter \S+ \S+ -n /, "")
    .replace("bind(67,", 'bind(67, "10.10.10.2",');
  const said = await play(
    [
      "counted() { nft list counter inet bootstrap foreign_dhcp | grep -o 'packets [0-9]*'; }",
      send("pc", 1, "10.10.10.255"),
      send("host", 2, "192.0.2.255"),
      // The appliance's own answer, which comes back from the NIC.
      own,
      send("pc", 2, "10.10.10.255"),
      // To an address that the appliance does not have yet, by its MAC.
      "ip link set isolated address 02:11:32:aa:bb:cc",
      "nsenter -t $pc -n ip neighbor replace 10.10.10.77 lladdr 02:11:32:aa:bb:cc dev eth0",
      send("pc", 2, "10.10.10.77"),
      // A busy kernel takes them in some time after they are sent; those that do not count were sent first.
      `await '[ "$(counted)" = "packets 2" ]'`,
      "counted",
    ].join("\n"),
  );
  expect(said.match(/packets \d+/g)).toEqual(["packets 2"]);
});

test("what the mini-PC sends to the web server is counted, and what others send, or it to other ports, is not", async () => {
  // Nothing listens there, so that each connection is one packet of whoever asks, and a refusal.
  const connect = (from: string, port: number, address: string) =>
    `nsenter -t $${from} -n node -e 'require("node:net").connect({ port: ${port}, host: "10.10.10.2", localAddress: "${address}" }).on("error", () => {})'`;
  const count = "nft list counter inet bootstrap minipc_http | grep -o 'packets [0-9]*'";
  const said = await play(
    [
      connect("stranger", 80, "10.10.10.66"),
      connect("pc", 53, "10.10.10.100"),
      count,
      connect("pc", 80, "10.10.10.100"),
      count,
      connect("pc", 80, "10.10.10.100"),
      count,
    ].join("\n"),
  );
  const [others = NaN, once = NaN, twice = NaN] = [...said.matchAll(/packets (\d+)/g)].map(([, many]) =>
    Number(many),
  );
  expect(others).toBe(0);
  // On a busy machine a packet may be sent anew before it is refused.
  expect(once).toBeGreaterThan(0);
  expect(twice).toBeGreaterThan(once);
});

test("a closed isolated NIC lets nothing in, and opens again", async () => {
  const said = await play(`
nft --file ${TOP}/packer/appliance/closed.nft; nft --file ${TOP}/packer/appliance/closed.nft
nsenter -t $pc -n node peer.cjs mini-PC unheard 5
nft delete table inet bootstrap_closed
nsenter -t $pc -n node peer.cjs mini-PC heard`);
  expect(said).not.toContain("unheard");
  expect(said).toContain("mini-PC has: answer to heard");
});

test("no link's address is answered by ARP on the other, and no NIC accepts packets from the other's network", async () => {
  const said = await play(`
grep '^net.ipv4.conf' ${TOP}/packer/appliance/sysctl.conf | while read -r key _ value; do
  for file in /proc/sys/$(echo "$key" | tr . /); do echo "$value" >"$file"; done
done
ask() { nsenter -t $1 -n busybox arping -q -c 1 -w 5 -I eth0 $2 >/dev/null; }
await 'ask $pc 10.10.10.2'; await 'ask $host 192.0.2.2'; echo "each is here"
ask $host 10.10.10.2 && echo "10.10.10.2 is there"; ask $pc 192.0.2.2 && echo "192.0.2.2 is there"
cat /proc/sys/net/ipv4/conf/uplink/rp_filter`);
  expect(said.split("\n")).toEqual(["each is here", "1"]);
});
