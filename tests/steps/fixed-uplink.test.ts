import { join } from "node:path";
import { TOP } from "../tools";
import { HOLD, onAppliance } from "./link-hosts";
import { testFolder } from "./run-step";

const folder = testFolder();
const APPLIANCE = join(TOP, "packer/appliance");

/** An appliance with three NICs: a gateway is behind `first`, an empty link behind `second`, and `third` is down. */
const NICS = `${HOLD}
hold; gateway=$held
trap 'kill $gateway' EXIT
state=$PWD/state; mkdir -p "$state/answered"
for nic in first second third; do ip link add $nic type veth peer name $nic-end netns $gateway; done
nsenter -t $gateway -n sh -c 'ip link set first-end up; ip link set second-end up; ip address add 192.168.1.1/24 dev first-end
  echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore'
ip link set first up; ip link set second up
for nic in first second; do carried $$ $nic; carried $gateway $nic-end; done
UPLINK_GATEWAY=192.168.1.1
set -u
. ${APPLIANCE}/uplink
# /sys shows the NICs of the namespace that it was mounted in.
mac() { echo "$1"; }
eval "$(sed -n '/^ask_for_gateway/,/^}/p' ${APPLIANCE}/apply)"
`;

async function said(script: string): Promise<string[]> {
  const ended = await onAppliance(folder, NICS + script);
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  return ended.stdout.split("\n");
}

test("the gateway is found on its own NIC, not on another one or one that is down, and learns nothing of who asks", async () => {
  const lines = await said(`
(ask_for_gateway "first second third")
for nic in first second third; do echo "$nic $(answered_by $nic)"; done
echo "neighbours: $(nsenter -t $gateway -n ip neighbor show)"`);
  expect(lines).toEqual(["first gateway", "second ", "third ", "neighbours: "]);
});

test("what answered first on a NIC stays, and who answered on all is told by that", async () => {
  const lines = await said(`
rm -f "$state/answered/"*
mark_answered a dhcp; mark_answered a gateway; answered_by a
mark_answered b dhcp; echo $(who_answered)
mark_answered c gateway; echo $(who_answered)
rm "$state/answered/a" "$state/answered/b"; echo $(who_answered)`);
  expect(lines).toEqual(["dhcp", "dhcp", "dhcp gateway", "gateway"]);
});

test("another host that has the appliance's address is seen; the appliance itself is not taken for one", async () => {
  const lines = await said(`
ip address add 192.168.1.5/24 dev first
is_taken_on first 192.168.1.5 && echo taken || echo free
nsenter -t $gateway -n ip address add 192.168.1.5/24 dev first-end
await 'is_taken_on first 192.168.1.5'; echo taken`);
  expect(lines).toEqual(["free", "taken"]);
});
