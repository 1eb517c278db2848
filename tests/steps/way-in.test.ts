import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { play as playIn, THROUGH } from "./link-hosts";
import { testFolder } from "./run-step";

const folder = testFolder();

/** A desk on the uplink's own network and one behind its router; and two hosts that are neither's neighbours. */
const DESKS = ["192.0.2.1", "198.51.100.7"];
const OUTSIDE = ["192.0.2.77", "203.0.113.9"];
const OPEN = { operatorNetwork: "192.0.2.0/28,198.51.100.0/24" };
const [LEASE, UPLINK, APPLIANCE] = ["10.10.10.100", "192.0.2.2", "10.10.10.2"];

/**
 * `serve` answers each connection with the address that it comes from, and says more when the file `more` is there; `ask` prints
 * what a port answers; `knock` ends when each port has accepted a connection or refused it; `scan` sends a SYN and a datagram to
 * each port of a host, of which a busy kernel may drop some. All but `serve` name the address that they use.
 */
const HOST = `
const { existsSync, writeFileSync } = require("node:fs");
const net = require("node:net");
const [, , what, from, to, ports] = process.argv;
const list = (ports ?? "").split(",").map(Number);
async function scan() {
  const udp = require("node:dgram").createSocket("udp4");
  await new Promise((bound) => udp.bind({ address: from, port: 0 }, bound));
  udp.on("error", () => undefined);
  const all = ports === "all" ? Array.from({ length: 65535 }, (_, index) => index + 1) : list;
  for (let at = 0; at < all.length; at += 500) {
    const some = all.slice(at, at + 500);
    const asked = some.map((port) => net.connect({ host: to, port, localAddress: from }).on("error", () => undefined));
    await Promise.all(some.map((port) => new Promise((sent) => udp.send("question", port, to, sent))));
    await new Promise((next) => setImmediate(next));
    for (const socket of asked) socket.destroy();
  }
  udp.close();
}
if (what === "serve") {
  const answer = (socket) => {
    socket.on("error", () => undefined);
    socket.write("you are " + socket.remoteAddress.replace("::ffff:", "") + "\\n");
    const more = setInterval(() => existsSync("more") && (socket.write("more\\n"), clearInterval(more)), 50);
  };
  net.createServer(answer).listen(7000, () => writeFileSync("serves", "yes"));
} else if (what === "ask") {
  for (const port of list)
    net.connect({ host: to, port, localAddress: from }).on("data", (said) => {
      process.stdout.write(to + ":" + port + " answers " + from + ": " + said);
      if (existsSync("more") ? String(said).includes("more") : !process.env.STAY) process.exit();
    });
} else if (what === "knock") {
  for (const port of list) {
    const socket = net.connect({ host: to, port, localAddress: from }, () => socket.destroy());
    socket.on("error", ({ code }) => code === "ECONNREFUSED" || process.exit(1));
  }
} else scan();
`;

/** The lease answers on every TCP port. What passes the firewall is noted after it, as SOURCE . DESTINATION . PROTOCOL . PORT. */
const SETTING = `
rm -f serves more
${THROUGH}
ip route add default via 192.0.2.1
for address in ${[...DESKS, ...OUTSIDE].slice(1).join(" ")}; do in_host ip address add $address/32 dev lo; done
in_host ip route replace 10.10.10.0/24 via ${UPLINK}
in_pc nft 'table ip every { chain prerouting { type nat hook prerouting priority dstnat; fib daddr type local tcp dport 1-65535 redirect to :7000; }; }'
nft 'table inet seen {
  set into { type ipv4_addr . ipv4_addr . inet_proto . inet_service; flags dynamic; size 262144; }
  set through { type ipv4_addr . ipv4_addr . inet_proto . inet_service; flags dynamic; size 262144; }
  set out { type ipv4_addr . ipv4_addr . inet_proto . inet_service; flags dynamic; size 262144; }
  chain input { type filter hook input priority 10; iifname "uplink" add @into { ip saddr . ip daddr . meta l4proto . th dport }; }
  chain forward {
    type filter hook forward priority 10;
    iifname "uplink" add @through { ip saddr . ip daddr . meta l4proto . th dport };
    iifname "isolated" ct direction original add @out { ip saddr . ip daddr . meta l4proto . th dport };
  }
}'
seen() { nft -nn list set inet seen $1 | tr ',' '\\n' | sed -n "s/.*[^0-9.]\\([0-9.]* \\. [0-9.]* \\. [0-9]* \\. [0-9]*\\).*/$1 \\1/p"; }
nsenter -t $pc -n node host.cjs serve & daemons=$!
await '[ -s serves ]'
`;

/** Runs acts among the hosts. @returns what passed the firewall, of the names that SETTING has for it, and what else was said */
async function play(acts: string, values: Record<string, string> = {}) {
  writeFileSync(join(folder, "host.cjs"), HOST);
  const said = await playIn(
    folder,
    `${SETTING}${acts}\nfor set in into through out; do seen $set; done`,
    values,
  );
  const lines = said.split("\n").filter((line) => line !== "");
  const passed = (name: string) =>
    lines
      .filter((line) => line.startsWith(`${name} `))
      .map((line) => line.slice(name.length + 1))
      .sort();
  return { into: passed("into"), through: passed("through"), out: passed("out"), lines };
}

const scan = (from: string, to: string, ports = "all") =>
  `in_host node host.cjs scan ${from} ${to} ${ports}\n`;
/** Of the address that the uplink does not know, a few ports: those that have a service behind them, and common ones. */
const FEW = "22,53,67,68,69,80,111,123,161,443,546,1900,5000,5353,5355,6443,8080,50000";
const tcp = (from: string, port: number) => `${from} . ${LEASE} . 6 . ${port}`;
/** The answer of a DHCP server to its client, which gets in: what is noted is noted, and what was sent before is taken in. */
const CONTROL = `
control() {
  in_host node -e 'const s = require("node:dgram").createSocket("udp4"); s.bind(67, "${DESKS[0]}", () => s.send("answer", 68, "${UPLINK}", () => s.close()))'
  seen into | grep -q " 17 . 68"
}
await control
`;
const NOTED = [`${DESKS[0]} . ${UPLINK} . 17 . 68`];
const STATUS_PAGE = `${DESKS[0]} . ${UPLINK} . 6 . 80`;
/** Ports that are open, asked until each answers. */
const knock = (from: string, to: string, ports: string) =>
  `in_host node host.cjs knock ${from} ${to} ${ports}\n`;
const scanAll = (from: string) =>
  scan(from, LEASE) + scan(from, UPLINK) + scan(from, APPLIANCE, FEW) + CONTROL;

test("from the operator's networks two ports of the lease and the status page are reached, of all ports of it and of the appliance", async () => {
  const [near, far] = DESKS as [string, string];
  const open = DESKS.map((desk) => knock(desk, LEASE, "50000,6443")).join("") + knock(near, UPLINK, "80");
  const { into, through } = await play(scan(far, LEASE, FEW) + scanAll(near) + open, OPEN);
  expect(into).toEqual([...NOTED, STATUS_PAGE]);
  expect(through).toEqual([tcp(near, 50000), tcp(near, 6443), tcp(far, 50000), tcp(far, 6443)]);
});

test("without the key no port of the lease or of the appliance is reached, of all there are", async () => {
  const { into, through } = await play(scanAll(DESKS[0]!));
  expect([into, through]).toEqual([NOTED, []]);
});

test("from outside the operator's networks no port is reached", async () => {
  const every = OUTSIDE.flatMap((from) => [LEASE, UPLINK, APPLIANCE].map((to) => scan(from, to, FEW)));
  const { into, through } = await play(every.join("") + CONTROL, OPEN);
  expect([into, through]).toEqual([NOTED, []]);
});

test("the lease sees which host asks, and answers under its own address", async () => {
  const { lines } = await play(
    DESKS.flatMap((desk) =>
      [50000, 6443].map((port) => `in_host node host.cjs ask ${desk} ${LEASE} ${port}\n`),
    ).join(""),
    OPEN,
  );
  expect(lines.filter((line) => line.includes("answers"))).toEqual(
    DESKS.flatMap((desk) => [50000, 6443].map((port) => `${LEASE}:${port} answers ${desk}: you are ${desk}`)),
  );
});

test("who sends from an address of the isolated link is not let in, nor is the lease's address under another MAC let out", async () => {
  const spoofed = [APPLIANCE, "10.10.10.66"];
  const { into, through, out } = await play(
    [
      ...spoofed.map(
        (address) => `in_host ip address add ${address}/32 dev lo\n${scan(address, LEASE, "50000,6443")}`,
      ),
      `in_stranger ip address add ${LEASE}/32 dev eth0; in_stranger ip route add 192.0.2.0/24 via ${APPLIANCE} src ${LEASE}\n`,
      `in_stranger node host.cjs scan ${LEASE} ${DESKS[0]} 50000,6443\n`,
      // What comes after all that shows that it was taken in.
      `in_host node host.cjs ask ${DESKS[0]} ${LEASE} 50000`,
    ].join(""),
    OPEN,
  );
  expect([into, through, out]).toEqual([[], [tcp(DESKS[0]!, 50000)], []]);
});

test("a connection outlasts a restart of the appliance, whoever speaks first after it", async () => {
  const { lines } = await play(
    `
echo 1 >/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established
STAY=yes nsenter -t $host -n node host.cjs ask ${DESKS[0]} ${LEASE} 50000 >heard & asking=$!
await 'grep -q you heard'
# What a restart forgets is what runs out here.
await '[ $(cat /proc/sys/net/netfilter/nf_conntrack_count) = 0 ]'
echo yes >more
await '! kill -0 $asking'
cat heard`,
    OPEN,
  );
  expect(lines).toContainEqual(expect.stringMatching(/: more$/));
});

test("the lease itself still gets out under the uplink's address, to the operator's networks too", async () => {
  const { lines } = await play(
    `
kill $daemons; rm -f serves; nsenter -t $host -n node host.cjs serve & daemons=$!
await '[ -s serves ]'
in_pc node host.cjs ask ${LEASE} ${DESKS[0]} 7000`,
    OPEN,
  );
  expect(lines).toContain(`${DESKS[0]}:7000 answers ${LEASE}: you are ${UPLINK}`);
});
