import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkConfig } from "../../stack/config";
import { renderServiceFiles } from "../../stack/service-files";
import { inToolEnvironment } from "../tools";

/** MAC of the mini-PC that the hosts' services are for. */
export const MAC = "52:54:00:12:34:56";

/**
 * Four hosts in network namespaces: the appliance with its firewall, the mini-PC and a stranger on the isolated link, and a
 * host on the uplink. `$pc`, `$stranger` and `$host` are the pids of the other three; what ends with the play is added to
 * `$daemons`.
 */
const HOSTS = `
set -e
hold() { unshare --net sleep 60 & held=$!; until [ "$(readlink /proc/$held/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done; }
hold; pc=$held; hold; stranger=$held; hold; host=$held
trap 'kill $pc $stranger $host $daemons 2>/dev/null || true' EXIT
in_pc() { nsenter -t $pc -n "$@"; }; in_stranger() { nsenter -t $stranger -n "$@"; }; in_host() { nsenter -t $host -n "$@"; }
ip link add isolated type veth peer name eth0 address ${MAC} netns $pc
in_pc ip link add name other link eth0 type macvlan mode bridge
in_pc ip link set other netns $stranger name eth0
ip link add uplink type veth peer name eth0 netns $host
ip address add 10.10.10.2/24 dev isolated; ip address add 192.0.2.2/24 dev uplink
for nic in lo isolated uplink; do ip link set $nic up; done
for each in $pc $stranger $host; do nsenter -t $each -n ip link set lo up; nsenter -t $each -n ip link set eth0 up; done
in_pc ip address add 10.10.10.100/24 dev eth0
in_stranger ip address add 10.10.10.66/24 dev eth0
in_host sh -c 'ip address add 192.0.2.1/24 dev eth0; ip address add 10.10.10.100/32 dev lo; ip route add 10.10.10.2/32 via 192.0.2.2 src 10.10.10.100'
nft --file nftables.conf
`;

/**
 * Has the hosts act, with the files that the product renders in their folder.
 *
 * @param acts shell, run by the appliance
 * @param values of the stack's config, beside those that it must have
 * @returns what was printed
 */
export async function play(
  folder: string,
  acts: string,
  values: Record<string, string> = {},
): Promise<string> {
  const config = checkConfig({ bootstrapVersion: "x", minipcMac: MAC, ...values }, "lab");
  for (const [name, text] of Object.entries(renderServiceFiles(config)))
    writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, "acts.sh"), HOSTS + acts);
  const root = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const unshared = [...root, "--net", "--mount", "sh", "acts.sh"];
  const ended = await inToolEnvironment("unshare", unshared, { cwd: folder });
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  return ended.stdout;
}
