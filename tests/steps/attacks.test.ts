import { discover } from "../../rehearsal/network/dhcp";
import { TOP } from "../tools";
import { DNSMASQ, DNSMASQ_APPLIED, DNSMASQ_SERVES, MAC, play } from "./link-hosts";
import { testFolder } from "./run-step";

const folder = testFolder();

/** The appliance's daemons as the site has them; `act` has a host do something, `ask` prints the mini-PC's lease. */
const SERVICES = `
${DNSMASQ_APPLIED}mkdir -p /srv/http/configs /srv/http/talos
head -c 100000 /dev/zero >/srv/tftp/snponly.efi; echo '#!ipxe' >/srv/http/boot.ipxe; echo secret >/srv/http/configs/minipc.yaml
echo "user root; error_log /dev/null; pid /run/nginx.pid; worker_processes 1; events { worker_connections 768; } http { $(printf '%s_temp_path /run/%s; ' client_body x proxy x fastcgi x uwsgi x scgi x) include $PWD/nginx-bootstrap.conf; }" >nginx.conf
sed -i '/_log syslog/d; s/listen .*;/& access_log off;/' nginx-bootstrap.conf
nginx -e stderr -g 'daemon off;' -c $PWD/nginx.conf >/dev/null 2>&1 & daemons="$daemons $!"
${DNSMASQ} 2>dnsmasq.log & dnsmasq=$!; daemons="$daemons $dnsmasq"
act() { eval "who=\\$$1"; shift; nsenter -t $who -n node ${TOP}/tests/steps/attacker.cjs "$@"; }
meanwhile() { rm -f meanwhile; eval "who=\\$$1"; shift; nsenter -t $who -n node ${TOP}/tests/steps/attacker.cjs "$@" >meanwhile & daemons="$daemons $!"; await '[ -s meanwhile ]'; cat meanwhile; }
resolve() { nsenter -t $host -n node ${TOP}/tests/steps/attacker.cjs resolver \${by:-192.0.2.1} "$@" >resolving & daemons="$daemons $!"; await '[ -s resolving ]'; rm resolving; }
echo nameserver 192.0.2.1 >/run/bootstrap-pxe/resolv.conf
in_stranger ip route add 255.255.255.255 dev eth0
printf '#!/bin/sh\\n[ "$1" != bound ] || echo "leased $ip"\\n' >told; chmod +x told
ask() { in_pc busybox udhcpc -i eth0 -f -n -q -t 60 -T 1 -s "$PWD/told" 2>/dev/null; }
${DNSMASQ_SERVES}
await 'busybox wget -q --spider http://10.10.10.2/boot.ipxe'
`;

const attack = (acts: string, values?: Record<string, string>) => play(folder, SERVICES + acts, values);
const LEASED = "leased 10.10.10.100";
const lines = (said: string) => said.split("\n");

test("strangers are offered no address, however many ask; the mini-PC is, and is offered one after a thousand malformed messages", async () => {
  const [stranger, minipc] = ["02:00:5e:00:53:99", MAC].map((mac) => discover(mac).toString("hex"));
  const said = await attack(`
act stranger strangers ${stranger} 300; ask
act stranger fuzzed ${stranger} 500; act stranger fuzzed ${minipc} 500; ask; kill -0 $dnsmasq`);
  expect(lines(said)).toEqual(["0 offers to strangers", LEASED, "fuzzed", "fuzzed", LEASED]);
});

test("the machine config goes to the lease alone, whatever form its path has, and nothing leads out of what is served", async () => {
  const paths = [
    ["/configs/minipc.yaml", 403],
    ["//configs/minipc.yaml", 403],
    ["/configs/../configs/minipc.yaml", 403],
    ["/boot.ipxe/../configs/minipc.yaml", 403],
    ["/talos/%2e%2e/configs/minipc.yaml", 403],
    ["/configs%2fminipc.yaml", 403],
    ["/CONFIGS/minipc.yaml", 404],
    ["/talos../configs/minipc.yaml", 404],
    ["/../../etc/passwd", 400],
    ["/talos/..%2f..%2f..%2fetc/passwd", 400],
  ] as const;
  const files = ["../../etc/passwd", "/etc/passwd", "....//etc/passwd", "/srv/tftp/../../etc/passwd"];
  const said = await attack(`
act pc get /configs/minipc.yaml; act stranger get ${paths.map(([path]) => path).join(" ")}
act pc file ${files.join(" ")}`);
  expect(lines(said)).toEqual([
    "/configs/minipc.yaml: 200",
    ...paths.map(([path, status]) => `${path}: ${status}`),
    ...files.map((file) => `${file}: refused`),
  ]);
});

test("what a stranger begins and leaves, transfers, connections or questions, does not hold up the mini-PC's own", async () => {
  const said = await attack(`
resolve far.example=c6336407 new.example=c6336409; act pc name far.example
meanwhile stranger stall 80; act pc file snponly.efi
meanwhile stranger slow 80 1500; act pc get /boot.ipxe
meanwhile stranger slow 53 60; act pc nameByTcp far.example
act stranger names 300; act pc name new.example`);
  expect(lines(said)).toEqual([
    "far.example: c6336407",
    "stalled",
    "snponly.efi: sent",
    "slow: some were taken",
    "/boot.ipxe: 200",
    "slow: none were taken",
    "far.example by TCP: c6336407",
    "asked",
    "new.example: c6336409",
  ]);
});

test("a resolver leads a name to the world, to its own network and to the mini-PC, and to nothing else of the isolated link", async () => {
  const said = await attack(`
resolve far.example=c6336407 registry.home=c0a80105 node.home=0a0a0a64 appliance.home=0a0a0a02 link.home=0a0a0a37 \
  six.far=20010db8000000000000000000000001 six.home=fd100010001000000000000000000002 six.mapped=00000000000000000000ffff0a0a0a02
act pc name far.example registry.home node.home appliance.home link.home six.far six.home six.mapped`);
  expect(lines(said)).toEqual([
    "far.example: c6336407",
    "registry.home: c0a80105",
    "node.home: 0a0a0a64",
    "appliance.home: code 3",
    "link.home: code 3",
    "six.far: 20010db8000000000000000000000001",
    "six.home: code 3",
    "six.mapped: code 3",
  ]);
});

test("with silent resolvers a question is refused at once, with a silent one and another it is answered, and the console knows which", async () => {
  const said = await attack(`
in_host ip address add 192.0.2.3/24 dev eth0
hear() { ${TOP}/packer/appliance/ask-resolvers "$@"; cat /run/bootstrap-pxe/resolvers 2>/dev/null || echo unknown; }
hear 192.0.2.1 192.0.2.9; act pc name far.example
resolve far.example=c6336407 pool.ntp.org=c6336408
hear 192.0.2.1 192.0.2.9; await '[ "$(act pc name far.example)" != "far.example: code 5" ]'; act pc name far.example
hear; ! ls -d /run/bootstrap-pxe/asking* 2>/dev/null`);
  expect(lines(said)).toEqual(["no", "far.example: code 5", "yes", "far.example: c6336407", "unknown"]);
});

test("when a resolver ends, another one is asked, though the mini-PC asks only once", async () => {
  const said = await attack(`
in_host ip address add 192.0.2.3/24 dev eth0
printf 'nameserver %s\\n' 192.0.2.1 192.0.2.3 >/run/bootstrap-pxe/resolv.conf
await 'grep -q "using nameserver 192.0.2.3#53" dnsmasq.log'
resolve far.example=c6336407; ends=$!; act pc name far.example
kill $ends; await '! kill -0 $ends'; by=192.0.2.3; resolve new.example=c6336409; act pc nameOnce new.example`);
  expect(lines(said)).toEqual(["far.example: c6336407", "new.example: c6336409"]);
});
