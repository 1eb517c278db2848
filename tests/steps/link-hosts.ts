import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkConfig } from "../../stack/config";
import { renderServiceFiles } from "../../stack/templates";
import { KEEP_MOUNTS, OWN_MOUNTS } from "../own-mounts";
import { inToolEnvironment, TOP } from "../tools";

/** MAC of the mini-PC that the hosts' services are for. */
export const MAC = "52:54:00:12:34:56";

/**
 * `hold` starts a host: a network namespace of its own, whose pid is `$held` then. `await` waits for a command to succeed, ten
 * minutes at most; what it says until then is shown only if it never does. Hosts live longer than any test: a busy machine may
 * need minutes for what takes seconds. `carried` waits until a NIC, `$2`, of a host, `$1`, sends: the kernel switches a link on
 * some time after both of its ends are up, and drops what is sent before.
 */
export const HOLD = `
set -e
await() { tries=0; until unmet=$(eval "$1" 2>&1); do tries=$((tries + 1)); [ $tries -lt 6000 ] || { echo "not within ten minutes: $1: $unmet" >&2; exit 1; }; sleep 0.1; done; }
hold() { unshare --net sleep 900 & held=$!; await '[ "$(readlink /proc/$held/ns/net)" != "$(readlink /proc/self/ns/net)" ]'; }
carried() { await "nsenter -t $1 -n ip link show $2 | grep -q 'state UP'"; }
`;

/** Where the appliance's services read and write, empty; and what `apply` and `hand-out` make of dnsmasq's part of the site. */
export const DNSMASQ_APPLIED = `
mount -t tmpfs none /run; mount -t tmpfs none /srv
mkdir -p /run/bootstrap-pxe /run/dnsmasq /srv/site /srv/tftp
cp dnsmasq.conf /srv/site/
sed -n '/^sed -e/,/^printf/p' ${TOP}/packer/appliance/apply | sed "s|/etc/dnsmasq.d/|$PWD/|g" >parts.sh
state=/run/bootstrap-pxe; . ./parts.sh
${TOP}/packer/appliance/hand-out program=snponly.efi
`;

/** The command of dnsmasq with that, as the appliance has it but for its user. */
export const DNSMASQ =
  "dnsmasq --conf-file=bootstrap.conf --keep-in-foreground --user=root --pid-file=/run/dnsmasq/dnsmasq.pid --dhcp-leasefile=/run/leases";

/** Waits until it serves: it writes its number when all its ports are open. */
export const DNSMASQ_SERVES = "await '[ -s /run/dnsmasq/dnsmasq.pid ]'";

/** The two ends of an isolated link of one appliance and one other host, `$pc`, whose NIC is `eth0`. */
export const ONE_HOST = `${HOLD}
hold; pc=$held
trap 'kill $pc $daemon 2>/dev/null' EXIT
ip link add isolated type veth peer name eth0 address ${MAC} netns $pc
ip address add 10.10.10.2/24 dev isolated; ip link set lo up; ip link set isolated up
nsenter -t $pc -n ip link set eth0 up; carried $$ isolated; carried $pc eth0
${DNSMASQ_APPLIED}`;

/** Runs a shell script as the appliance, in a folder, in namespaces of its own; a failure is a result. */
export function onAppliance(folder: string, script: string) {
  writeFileSync(join(folder, "link.sh"), `${KEEP_MOUNTS}\n${script}`);
  return inToolEnvironment("unshare", ["--net", ...OWN_MOUNTS, "sh", "link.sh"], { cwd: folder });
}

/**
 * Four hosts in network namespaces: the appliance with its firewall, the mini-PC and a stranger on the isolated link, and a
 * host on the uplink. `$pc`, `$stranger` and `$host` are the pids of the other three; what ends with the play is added to
 * `$daemons`.
 */
const HOSTS = `${HOLD}hold; pc=$held; hold; stranger=$held; hold; host=$held
trap 'kill $pc $stranger $host $daemons 2>/dev/null || true' EXIT
in_pc() { nsenter -t $pc -n "$@"; }; in_stranger() { nsenter -t $stranger -n "$@"; }; in_host() { nsenter -t $host -n "$@"; }
ip link add isolated type veth peer name eth0 address ${MAC} netns $pc
in_pc ip link add name other link eth0 type macvlan mode bridge
in_pc ip link set other netns $stranger name eth0
ip link add uplink type veth peer name eth0 netns $host
ip address add 10.10.10.2/24 dev isolated; ip address add 192.0.2.2/24 dev uplink
for nic in lo isolated uplink; do ip link set $nic up; done
for each in $pc $stranger $host; do nsenter -t $each -n ip link set lo up; nsenter -t $each -n ip link set eth0 up; done
carried $$ isolated; carried $$ uplink; for each in $pc $stranger $host; do carried $each eth0; done
in_pc ip address add 10.10.10.100/24 dev eth0
in_stranger ip address add 10.10.10.66/24 dev eth0
in_host sh -c 'ip address add 192.0.2.1/24 dev eth0; ip address add 10.10.10.100/32 dev lo; ip route add 10.10.10.2/32 via 192.0.2.2 src 10.10.10.100'
nft --file nftables.conf
`;

/**
 * Has connections go through the appliance, as its sysctl.conf, netplan.yaml and `apply` have it. The host on the uplink no longer
 * claims the lease's address.
 */
export const THROUGH = `
grep '^net.ipv4' ${TOP}/packer/appliance/sysctl.conf | while read -r key _ value; do
  for file in /proc/sys/$(echo "$key" | tr . /); do echo "$value" >"$file"; done
done
ip route add 10.10.10.0/24 dev isolated scope link table 100; ip rule add to 10.10.10.0/24 table 100 priority 100
ip neighbor replace 10.10.10.100 lladdr ${MAC} dev isolated nud permanent
in_pc ip route add default via 10.10.10.2
in_host ip address del 10.10.10.100/32 dev lo
`;

/**
 * Has the hosts act, with the files that the product renders in their folder.
 *
 * @param acts shell, run by the appliance
 * @param values of the stack's config, beside those that it must have
 * @param more what the files are rendered from beside that
 * @returns what was printed
 */
export async function play(
  folder: string,
  acts: string,
  values: Record<string, string> = {},
  more: { offline?: boolean } = {},
): Promise<string> {
  const config = checkConfig({ bootstrapVersion: "x", minipcMac: MAC, ...values }, "lab");
  for (const [name, text] of Object.entries(renderServiceFiles({ ...config, ...more })))
    writeFileSync(join(folder, name), text);
  const ended = await onAppliance(folder, HOSTS + acts);
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  return ended.stdout;
}
