import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkConfig } from "../../stack/config";
import { renderServiceFiles } from "../../stack/service-files";
import { inToolEnvironment, TOP } from "../tools";
import { testFolder } from "./run-step";

const MAC = "52:54:00:12:34:56";
const folder = testFolder();

/** dnsmasq on the isolated link as the appliance has it, and the mini-PC, which asks for a lease and prints what it is told. */
const LINK = `
set -e
hold() { unshare --net sleep 60 & held=$!; until [ "$(readlink /proc/$held/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done; }
hold; pc=$held
trap 'kill $pc $daemon 2>/dev/null' EXIT
mount -t tmpfs none /run; mount -t tmpfs none /srv
mkdir -p /run/bootstrap-pxe /run/dnsmasq /srv/site /srv/tftp
cp dnsmasq.conf /srv/site/
ip link add isolated type veth peer name eth0 address ${MAC} netns $pc
ip address add 10.10.10.2/24 dev isolated; ip link set lo up; ip link set isolated up
nsenter -t $pc -n ip link set eth0 up
printf '#!/bin/sh\\n[ "$1" != bound ] || echo "router \${router:-none}, DNS \${dns:-none}, time server $ntpsrv, for $lease s"\\n' >told
chmod +x told
ask() { nsenter -t $pc -n busybox udhcpc -i eth0 -f -n -q -t 5 -T 1 -O ntpsrv -s "$PWD/told" 2>/dev/null; }
hand_out() { ${TOP}/packer/appliance/hand-out "$@"; sleep 0.3; }
sed -n '/^sed -e/,/^printf/p' ${TOP}/packer/appliance/apply | sed "s|/etc/dnsmasq.d/|$PWD/|g" >parts.sh
state=/run/bootstrap-pxe; . ./parts.sh
hand_out program=snponly.efi
dnsmasq --conf-file=bootstrap.conf --keep-in-foreground --user=root --port=0 --pid-file=/run/dnsmasq/dnsmasq.pid --dhcp-leasefile=/run/leases 2>/dev/null & daemon=$!
sleep 0.5
`;

test("the lease names a router and a resolver while they work, and is short while they do not; the boot program stays", async () => {
  const config = checkConfig({ bootstrapVersion: "x", minipcMac: MAC }, "lab");
  writeFileSync(join(folder, "dnsmasq.conf"), renderServiceFiles(config)["dnsmasq.conf"]);
  const asks = [
    "ask",
    "hand_out router=no dns=no time=2m; ask; ask",
    "hand_out program=ipxe.efi; ask",
    "hand_out router=yes dns=yes time=infinite; ask; ask",
    "grep -c ipxe.efi /run/bootstrap-pxe/dhcp-options; kill -0 $daemon",
  ];
  writeFileSync(join(folder, "link.sh"), LINK + asks.join("\n"));
  const root = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  const unshared = [...root, "--net", "--mount", "sh", "link.sh"];
  const ended = await inToolEnvironment("unshare", unshared, { cwd: folder });
  const all = "router 10.10.10.2, DNS 10.10.10.2, time server 10.10.10.2, for 4294967295 s";
  const less = "router none, DNS none, time server 10.10.10.2, for 120 s";
  expect(ended.stderr).toBe("");
  expect(ended).toMatchObject({ exitCode: 0, stdout: [all, less, less, less, all, all, "2"].join("\n") });
});
