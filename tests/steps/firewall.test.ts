import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkConfig } from "../../config";
import { renderServiceFiles } from "../../components/service-files";
import { inToolEnvironment } from "../tools";
import { testFolder } from "./run-step";

const MAC = "52:54:00:12:34:56";
const folder = testFolder();

/**
 * Three hosts in network namespaces: the appliance with its firewall, the mini-PC on the isolated link, and a host on the
 * uplink. The appliance answers what comes to UDP port 53. `$pc` and `$host` are the pids of the other two.
 */
const NETWORK = `
set -e
hold() { unshare --net sleep 60 & held=$!; until [ "$(readlink /proc/$held/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done; }
hold; pc=$held; hold; host=$held
trap 'kill $pc $host $server 2>/dev/null' EXIT
ip link add isolated type veth peer name eth0 address ${MAC} netns $pc
ip link add uplink type veth peer name eth0 netns $host
ip address add 10.10.10.2/24 dev isolated; ip address add 192.0.2.2/24 dev uplink
for nic in lo isolated uplink; do ip link set $nic up; done
for each in $pc $host; do nsenter -t $each -n ip link set lo up; nsenter -t $each -n ip link set eth0 up; done
nsenter -t $pc -n ip address add 10.10.10.100/24 dev eth0
nsenter -t $host -n sh -c 'ip address add 192.0.2.1/24 dev eth0; ip address add 10.10.10.100/32 dev lo; ip route add 10.10.10.2/32 via 192.0.2.2 src 10.10.10.100'
nft --file nftables.conf
node peer.cjs serve & server=$!
`;

/** Sends a line from the lease's port, prints what is answered within a second; or answers everybody, saying to whom. */
const PEER = `
const socket = require("node:dgram").createSocket("udp4");
const [, , what, word] = process.argv;
if (what === "serve") {
  socket.on("message", (text, from) => {
    console.log("the appliance heard " + text);
    socket.send("answer to " + text, from.port, from.address);
  });
  socket.bind(53, "10.10.10.2");
} else {
  socket.on("message", (text) => console.log(what + " has: " + text));
  socket.bind(5000, "10.10.10.100");
  if (word) for (const at of [300, 600]) setTimeout(() => socket.send(word, 53, "10.10.10.2"), at);
  setTimeout(() => process.exit(), 1200);
}
`;

test("a DHCP server of the uplink that routes the lease's address to itself gets no answer that is the mini-PC's", async () => {
  const files = renderServiceFiles(checkConfig({ bootstrapVersion: "x", minipcMac: MAC }, "lab"));
  writeFileSync(join(folder, "nftables.conf"), files["nftables.conf"]);
  writeFileSync(join(folder, "peer.cjs"), PEER);
  writeFileSync(
    join(folder, "network.sh"),
    `${NETWORK}
nsenter -t $pc -n node peer.cjs mini-PC question
# As option 121 of the uplink's lease has it (RFC 3442).
ip route add 10.10.10.100/32 via 192.0.2.1
nsenter -t $host -n node peer.cjs host & listener=$!
nsenter -t $pc -n node peer.cjs mini-PC again
wait $listener
nsenter -t $host -n node peer.cjs host theft
`,
  );
  const root = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const ended = await inToolEnvironment("unshare", [...root, "--net", "sh", "network.sh"], { cwd: folder });
  expect(ended).toMatchObject({ exitCode: 0 });
  // The mini-PC's own connection is known to the firewall by now, and the host speaks in it.
  expect(ended.stdout).toContain("mini-PC has: answer to question");
  expect(ended.stdout).toContain("the appliance heard again");
  expect(ended.stdout).not.toContain("host has");
  expect(ended.stdout).not.toContain("heard theft");
});
