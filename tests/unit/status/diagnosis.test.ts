import { bootFacts, feedOf, GOOD, IP, MAC, NOW } from "./status";

const OTHER = "52:54:00:99:99:99";
const SILENT =
  "iPXE was handed over (snponly.efi) and is silent: a switch port that blocks when iPXE opens the NIC again lets it through within a minute";

const STOPPED =
  "iPXE was sent boot.ipxe and has not fetched the kernel, and nothing more is heard of it: the mini-PC's own screen says where it stopped";

/** What is known beside what is good, the facts, and the sentence. */
const CASES: [
  what: string,
  known: Parameters<typeof feedOf>[1],
  lines: string[],
  level: string,
  text: RegExp,
][] = [
  ["nothing said yet", { verdict: "" }, [], "wait", /^The appliance is starting\.$/],
  [
    "still starting",
    { verdict: "waiting: nginx is not running (activating)" },
    [],
    "wait",
    /^The appliance is starting: nginx is not running \(activating\)\.$/,
  ],
  [
    "nothing plugged in",
    { verdict: "NOT serving: the isolated NIC's link is down (02:11:32:00:00:01): no cable" },
    [],
    "fault",
    /^Nothing is plugged into the isolated NIC \(02:11:32:00:00:01\)/,
  ],
  [
    "another DHCP server",
    {
      verdict: "NOT serving: a DHCP server answers on the NIC taken for the isolated one (x): choosing anew",
    },
    bootFacts("config"),
    "fault",
    /^The appliance serves nothing: a DHCP server answers on the NIC taken for the isolated one/,
  ],
  ["nothing heard", {}, [], "wait", /^Nothing is heard of the mini-PC \(52:54:00:12:34:56\) yet/],
  [
    "another MAC asks",
    {},
    [`${NOW - 7} fact asks ${OTHER}`],
    "attention",
    /^52:54:00:99:99:99 asks for an address \(7 s ago\), and .* pulumi config set minipcMac 52:54:00:99:99:99/,
  ],
  [
    "another MAC asks beside the mini-PC",
    {},
    [`${NOW - 7} fact asks ${OTHER}`, ...bootFacts("firmware", NOW - 3)],
    "wait",
    /^The mini-PC's firmware has an address/,
  ],
  [
    "firmware that nothing is for",
    {},
    [`${NOW} fact asks ${MAC}`, `${NOW} fact offer none ${MAC}`],
    "attention",
    /no boot program here is for/,
  ],
  ["firmware that asks by IPv6", {}, [`${NOW} fact unserved 547 ${MAC}`], "attention", /asks by IPv6/],
  [
    "firmware that wants a ProxyDHCP server",
    {},
    [`${NOW} fact unserved 4011 ${MAC}`],
    "attention",
    /ProxyDHCP/,
  ],
  [
    "iPXE that is silent",
    {},
    [...bootFacts("program"), `${NOW} said ${SILENT}`],
    "attention",
    /^The mini-PC is stuck: iPXE was handed over \(snponly\.efi\) and is silent/,
  ],
  [
    "iPXE that was silent and goes on",
    {},
    [...bootFacts("program"), `${NOW} said ${SILENT}`, `${NOW} fact offer boot.ipxe ${MAC}`],
    "wait",
    /^iPXE has an address/,
  ],
  [
    "a file that is missing",
    {},
    [...bootFacts("script"), `${NOW} fact http /talos/v1.11.6/vmlinuz 404 ${IP}`],
    "attention",
    /^The mini-PC asked for \/talos\/v1\.11\.6\/vmlinuz and did not get it \(HTTP 404\)\.$/,
  ],
  [
    "a file that was missing and is there",
    {},
    [
      ...bootFacts("script"),
      `${NOW} fact http /talos/v1.11.6/vmlinuz 404 ${IP}`,
      `${NOW} fact http /talos/v1.11.6/vmlinuz 200 ${IP}`,
    ],
    "wait",
    /^iPXE fetches the initramfs/,
  ],
  [
    "a config that is refused",
    {},
    [...bootFacts("config"), `${NOW} fact http /configs/minipc.yaml 200 ${IP}`],
    "attention",
    /fetched its machine config 2 times in one boot: Talos refused it/,
  ],
  [
    "a boot from the network after the config",
    {},
    [...bootFacts("config", NOW - 300), ...bootFacts("firmware")],
    "attention",
    /^The mini-PC boots from the network again after it had its machine config/,
  ],
  [
    "another NIC asks after the mini-PC's",
    {},
    [...bootFacts("firmware"), `${NOW - 2} fact asks ${OTHER}`],
    "attention",
    /^52:54:00:99:99:99 asks for an address \(2 s ago\), after 52:54:00:12:34:56 did: another NIC/,
  ],
  [
    "iPXE that cannot fetch",
    {},
    [...bootFacts("ipxe"), `${NOW} said iPXE was told of boot.ipxe and has not fetched it: one without HTTP`],
    "attention",
    /^The mini-PC is stuck: iPXE was told of boot\.ipxe and has not fetched it/,
  ],
  [
    "iPXE that stops after boot.ipxe",
    {},
    [...bootFacts("script"), `${NOW} said ${STOPPED}`],
    "attention",
    /^The mini-PC is stuck: iPXE was sent boot\.ipxe and has not fetched the kernel, and nothing more is heard of it: .*\.$/,
  ],
  [
    "iPXE that stopped and goes on",
    {},
    [...bootFacts("script"), `${NOW} said ${STOPPED}`, `${NOW} fact http /talos/v1.11.6/vmlinuz 200 ${IP}`],
    "wait",
    /^iPXE fetches the initramfs/,
  ],
  [
    "iPXE that stopped and begins again",
    {},
    [...bootFacts("script"), `${NOW - 9} said ${STOPPED}`, ...bootFacts("firmware", NOW)],
    "wait",
    /^The mini-PC's firmware has an address/,
  ],
  [
    "memory that does not suffice",
    {},
    [...bootFacts("firmware"), `${NOW} fact out_of_memory nginx`],
    "fault",
    /^The appliance has too little memory, and the kernel ended nginx/,
  ],
  [
    "a layer that is damaged",
    { verdict: "NOT serving: the netboot layer is damaged (partition bootstrap-netboot)" },
    [],
    "fault",
    /^The appliance serves nothing: the netboot layer is damaged/,
  ],
  [
    "names, and no internet",
    { internet: "no" },
    bootFacts("config"),
    "attention",
    /But: no internet, since ghcr\.io does not answer on port 443, though names are answered\.$/,
  ],
  [
    "a start from the disk",
    {},
    [...bootFacts("config", NOW - 120), `${NOW - 9} fact offer - ${MAC}`],
    "wait",
    /^Talos is installed, as it seems, and starts from its disk; it answers next \(waiting for 9 s\)\.$/,
  ],
  ["a config that is fetched", {}, bootFacts("config"), "good", /^The mini-PC has its machine config/],
  [
    "no DNS",
    { verdict: `${GOOD.verdict}; no DNS, since no resolver answers (192.168.1.1)` },
    bootFacts("config"),
    "attention",
    /^The mini-PC has its machine config .* But: no DNS, since no resolver answers \(192\.168\.1\.1\)\.$/,
  ],
  [
    "images that are served",
    { verdict: `${GOOD.verdict}; 12 images` },
    bootFacts("config"),
    "good",
    /next\.$/,
  ],
  [
    "images, and a clock that nobody sets",
    { verdict: `${GOOD.verdict}; 1 image; clock unsynchronised` },
    [],
    "attention",
    /But: clock unsynchronised\.$/,
  ],
];

test.each(CASES)("%s", async (_what, known, lines, level, text) => {
  const { diagnosis } = await feedOf(lines, known);
  expect(diagnosis).toEqual({ level, text: expect.stringMatching(text) as string });
});

const ROWS: [
  what: string,
  known: Parameters<typeof feedOf>[1],
  name: string,
  level: string,
  value: RegExp,
][] = [
  ["all well", {}, "isolated", "good", /^02:11:32:00:00:01, up, 10\.10\.10\.2\/24: no DHCP server answers$/],
  ["all well", {}, "uplink", "good", /^02:11:32:00:00:02, up, 192\.168\.1\.7\/24: a DHCP server answered$/],
  ["all well", {}, "time", "good", /^set by 162\.159\.200\.1$/],
  ["no cable", { isolated_link: "down" }, "isolated", "fault", /, DOWN, /],
  ["a foreign server", { foreign_dhcp: "yes" }, "isolated", "fault", /a DHCP server ANSWERS$/],
  ["a foreign gateway", { foreign_gateway: "yes" }, "isolated", "fault", /the uplink's gateway ANSWERS$/],
  ["a fixed uplink", { uplink_answered: "gateway" }, "uplink", "good", /24: the gateway answered$/],
  [
    "an operator",
    { operator_networks: "192.168.1.0/24", route_linux: "sudo ip route add" },
    "way in",
    "good",
    /^hosts of 192\.168\.1\.0\/24, by a route via 192\.168\.1\.7$/,
  ],
  [
    "an operator",
    { route_linux: "sudo ip route add", route_windows: "route ADD 10.10.10.100" },
    "Windows",
    "good",
    /^route ADD 10\.10\.10\.100$/,
  ],
  [
    "no NIC named",
    { isolated_mac: "", isolated_link: "none" },
    "isolated",
    "wait",
    /^no NIC is taken for it yet$/,
  ],
  ["no uplink", { uplink: "false" }, "uplink", "good", /^none \(uplink: false\)$/],
  ["one NIC", { uplink_mac: "" }, "uplink", "attention", /^there is no second NIC$/],
  [
    "no lease",
    { uplink_cidr: "", uplink_answered: "" },
    "uplink",
    "attention",
    /, no address: the other NIC$/,
  ],
  ["no router", { router: "" }, "way out", "attention", /^no router, DNS /],
  [
    "a silent router",
    { router_answers: "no" },
    "way out",
    "attention",
    /^router 192\.168\.1\.1 does NOT answer/,
  ],
  [
    "silent resolvers",
    { resolvers_answer: "no" },
    "way out",
    "attention",
    /DNS 192\.168\.1\.1 does NOT answer$/,
  ],
  ["no resolvers", { resolvers: "" }, "way out", "attention", /, no DNS$/],
  ["nothing looked at yet", { verdict: "" }, "way out", "wait", /^not known yet$/],
  [
    "nothing looked at yet",
    { verdict: "", uplink_mac: "" },
    "uplink",
    "wait",
    /^no NIC is taken for it yet$/,
  ],
  ["its own clock", { clock: "unsynchronised" }, "time", "attention", /own clock/],
];

test.each(ROWS)("how things are: %s", async (_what, known, name, level, value) => {
  const { rows } = await feedOf([], known);
  expect(rows.find((row) => row.name === name)).toEqual({
    ...{ name, level },
    value: expect.stringMatching(value) as string,
  });
});
