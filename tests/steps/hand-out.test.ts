import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkConfig } from "../../stack/config";
import { renderServiceFiles } from "../../stack/templates";
import { TOP } from "../tools";
import { DNSMASQ, DNSMASQ_SERVES, MAC, onAppliance, ONE_HOST } from "./link-hosts";
import { testFolder } from "./run-step";

const folder = testFolder();

/** dnsmasq on the isolated link as the appliance has it, and the mini-PC, which asks for a lease and prints what it is told. */
const LINK = `${ONE_HOST}
printf '#!/bin/sh\\n[ "$1" != bound ] || echo "router \${router:-none}, DNS \${dns:-none}, time server $ntpsrv, for $lease s"\\n' >told
chmod +x told
ask() { nsenter -t $pc -n busybox udhcpc -i eth0 -f -n -q -t 60 -T 1 -O ntpsrv -s "$PWD/told" 2>/dev/null; }
read_options() { grep -c 'read .*dhcp-options' daemon.log; }
hand_out() { before=$(read_options); ${TOP}/packer/appliance/hand-out "$@"; await '[ $(read_options) -gt $before ]'; }
${DNSMASQ} --port=0 2>daemon.log & daemon=$!
${DNSMASQ_SERVES}
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
  const ended = await onAppliance(folder, LINK + asks.join("\n"));
  const all = "router 10.10.10.2, DNS 10.10.10.2, time server 10.10.10.2, for 4294967295 s";
  const less = "router none, DNS none, time server 10.10.10.2, for 120 s";
  expect(ended.stderr).toBe("");
  expect(ended).toMatchObject({ exitCode: 0, stdout: [all, less, less, less, all, all, "2"].join("\n") });
});
