import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { chainFor, firstBreak, mayShowConfig, openAt } from "../../../rehearsal/chain";
import { makeRedactor } from "../../../rehearsal/machines/redact";
import type { DhcpMessage } from "../../../rehearsal/network/dhcp";
import type { Expected } from "../../../rehearsal/view";
import type { Seen, What } from "../../../rehearsal/network/seen";

const MAC = "52:54:00:12:34:56";
const NIC = "02:00:5e:00:53:11";
const expected: Expected = {
  minipcMac: MAC,
  minipcIp: "10.10.10.100",
  applianceIp: "10.10.10.2",
  isolatedNic: NIC,
  kernelArguments: ["talos.platform=metal", "pti=on"],
  configSha256: "c0ff",
  hasSerialConsole: true,
};

const line = (machine: "appliance" | "minipc", text: string): What => ({ kind: "line", machine, text });
const dhcp = (type: DhcpMessage["type"], rest: Partial<DhcpMessage> = {}): What => ({
  ...{ link: "isolated", kind: "dhcp", mac: MAC },
  message: { type, client: MAC, ...rest },
});
const tftp = { link: "isolated", kind: "tftp", mac: MAC, file: "snponly.efi" } as const;
const got = (path: string, rest: object = {}): What => ({
  ...{ link: "isolated", kind: "http", mac: MAC, path, state: "sent" },
  ...{ status: 200, bytes: 7_000_000, sha256: "aa", ...rest },
});
const time = { link: "isolated", kind: "time", mac: MAC } as const;
const serving = `bootstrap-pxe: serving ${MAC} -> 10.10.10.100 on isolated (${NIC}), Talos v1.11.6, version demo`;

/** What a good boot shows, in its order. */
const GOOD: What[] = [
  line("appliance", "[    0.000000] Linux version 6.1.0-56-amd64"),
  { link: "isolated", kind: "address", ip: "10.10.10.2", mac: NIC },
  line("appliance", serving),
  dhcp("discover", { stage: "firmware", architecture: 7 }),
  dhcp("ack", { address: "10.10.10.100", file: "snponly.efi", router: "10.10.10.2", ntp: "10.10.10.2" }),
  { ...tftp, state: "sent", bytes: 174_000 },
  got("/boot.ipxe", { bytes: 1028 }),
  got("/talos/v1.11.6/vmlinuz"),
  got("/talos/v1.11.6/initramfs.xz"),
  line("minipc", "[    0.000000] Command line: vmlinuz talos.platform=metal pti=on"),
  { ...time, state: "answered", stratum: 10 },
  got("/configs/minipc.yaml", { sha256: "c0ff" }),
  line("minipc", "[   59.4] [talos] machine config loaded successfully {}"),
];
const at = (whats: What[]): Seen[] => whats.map((what, index) => ({ atMs: index * 1000, ...what }));
const IDS = chainFor(expected).map(({ id }) => id);

/** The first milestone that is not reached, and what it says is broken. */
function judge(seen: Seen[], change: Partial<Expected> = {}) {
  const view = { seen, expected: { ...expected, ...change } };
  const chain = chainFor(view.expected);
  const index = chain.findIndex(({ reached }) => !reached(view));
  const milestone = chain[index];
  const fault = milestone && firstBreak(view, openAt(chain, index));
  return {
    at: fault?.milestone.id ?? milestone?.id,
    broken: fault?.broken.seen,
    overdue: milestone?.overdue(view).seen,
  };
}

const first = (whats: What[], change?: Partial<Expected>) => judge(at(whats), change);

test("a good boot reaches every milestone, each by its own sign", () => {
  expect(first(GOOD).at).toBeUndefined();
  IDS.forEach((id, index) => expect(first(GOOD.filter((_what, place) => place !== index)).at).toBe(id));
});

test.each(IDS)("nothing that was seen before %s says that it is broken, and its delay is described", (id) => {
  const before = GOOD.slice(0, IDS.indexOf(id));
  expect(first(before)).toMatchObject({ at: id, broken: undefined });
  expect(first(before).overdue).toMatch(/\w+ \w+ \w+/);
});

test("a firmware that asks too seldom for a sure sign was not offered anything either, once its time is over", () => {
  const noticed = line("appliance", `bootstrap-pxe: dhcp: discover from ${MAC}: ignored`);
  const before = until("pxe");
  expect(first([...before, asked, noticed])).toMatchObject({ at: "lease", broken: undefined });
  expect(first([...before, asked, noticed]).overdue).toMatch(
    /asked 1 times .* and dnsmasq gave none; .*: ignored$/,
  );
  expect(first([...before, asked]).overdue).toMatch(/dnsmasq heard none of it/);
  expect(first([...until("lease"), dhcp("offer", { address: "10.10.10.100" })]).overdue).toMatch(
    /was offered an address and did not take it/,
  );
});

const talos = (words: string) => line("minipc", `[   48.7] [talos] ${words}`);
const config = got("/configs/minipc.yaml", { sha256: "c0ff" });
const until = (id: string) => GOOD.slice(0, IDS.indexOf(id));
const asked = dhcp("discover", { stage: "firmware" });
const syn: What = { link: "isolated", kind: "connect", port: 80, mac: MAC, state: "asked" };

test.each<[what: string, seen: What[], at: string, says: RegExp]>([
  [
    "the appliance's QEMU ends",
    [{ kind: "ended", machine: "appliance" }],
    "power-on",
    /virtual machine ended/,
  ],
  [
    "UEFI finds nothing",
    [line("appliance", "BdsDxe: No bootable option or device was found.")],
    "power-on",
    /nothing to boot/,
  ],
  [
    "UEFI falls back to its shell",
    [line("appliance", "UEFI Interactive Shell v2.2")],
    "power-on",
    /nothing to boot: UEFI Interactive Shell/,
  ],
  [
    "the sides are swapped",
    [...until("address"), line("appliance", serving.replace(NIC, "02:00:5e:00:53:12"))],
    "address",
    /took 02:00:5e:00:53:12 for the isolated NIC/,
  ],
  [
    "a DHCP server on every NIC",
    [
      ...until("address"),
      line("appliance", "bootstrap-pxe: NOT serving: a DHCP server answers on every NIC (a b): none"),
    ],
    "address",
    /a DHCP server answers on every NIC/,
  ],
  [
    "the node has no NIC",
    [...until("time"), line("minipc", "node: FAULT: no NIC that this kernel has a driver for")],
    "time",
    /goes no further: no NIC that this kernel has a driver for/,
  ],
  [
    "Talos misses an argument that the stack does not name",
    [
      ...until("time"),
      line("minipc", "[   19.244540] [talos] task enforceKSPPRequirements (1/1): failed: 1 error occurred:"),
      line("minipc", "[   19.247409]  * KSPP kernel parameter slab_nomerge is required"),
      line("minipc", "[   19.358749] [talos] initialize sequence: failed"),
    ],
    "time",
    /goes no further: KSPP kernel parameter slab_nomerge is required/,
  ],
  [
    "Talos cannot start for another reason",
    [...until("time"), line("minipc", "[   19.358749] [talos] initialize sequence: failed")],
    "time",
    /goes no further: initialize sequence: failed/,
  ],
  [
    "the mini-PC's QEMU ends",
    [...until("pxe"), { kind: "ended", machine: "minipc" }],
    "pxe",
    /mini-PC's virtual machine ended/,
  ],
  [
    "the appliance's QEMU ends while the mini-PC asks",
    [...until("lease"), { kind: "ended", machine: "appliance" }],
    "lease",
    /appliance's virtual machine ended/,
  ],
  [
    "the mini-PC's QEMU ends before it has its config",
    [...until("config"), { kind: "ended", machine: "minipc" }],
    "config",
    /mini-PC's virtual machine ended/,
  ],
  [
    "another address",
    [...until("lease"), dhcp("offer", { address: "10.10.10.9" })],
    "lease",
    /offered 10\.10\.10\.9/,
  ],
  [
    "an offer without a boot file",
    [
      ...until("lease"),
      dhcp("offer", { address: "10.10.10.100" }),
      dhcp("offer", { address: "10.10.10.100" }),
    ],
    "lease",
    /without a boot file/,
  ],
  ["no offer, nothing noticed", [...until("lease"), asked, asked], "lease", /dnsmasq heard none of it/],
  [
    "no offer, and dnsmasq says why",
    [
      ...until("lease"),
      asked,
      asked,
      line("appliance", `bootstrap-pxe: dhcp: discover from ${MAC}: ignored`),
    ],
    "lease",
    /dnsmasq gave none; the appliance's console says: dhcp: discover from \S+: ignored/,
  ],
  [
    "TFTP refuses",
    [...until("loader"), { ...tftp, state: "refused", words: "file not found" }],
    "loader",
    /refuses snponly\.efi: file not found/,
  ],
  [
    "TFTP is silent",
    [...until("loader"), ...Array<What>(3).fill({ ...tftp, state: "asked" })],
    "loader",
    /asked 3 times by TFTP/,
  ],
  [
    "nginx does not listen",
    [...until("script"), { ...syn, state: "refused" }],
    "script",
    /refuses connections/,
  ],
  ["port 80 is silent", [...until("script"), syn, syn, syn], "script", /asked 3 times for a connection/],
  [
    "the kernel is not found",
    [...until("kernel"), { ...got("/talos/v1.11.6/vmlinuz"), state: "answered", status: 404 } as What],
    "kernel",
    /vmlinuz was answered with the status 404/,
  ],
  [
    "boot.ipxe fails again and again",
    [...until("kernel"), ...Array<What>(3).fill(line("minipc", "bootstrap-pxe: that failed (0x3e11618e)"))],
    "kernel",
    /boot\.ipxe failed 3 times/,
  ],
  [
    "an empty initramfs",
    [...until("initramfs"), got("/talos/v1.11.6/initramfs.xz", { bytes: 0 })],
    "initramfs",
    /served, but empty/,
  ],
  [
    "an argument is missing",
    [
      ...until("start"),
      line("minipc", "[    0.000000] Command line: vmlinuz pti=on"),
      line("minipc", "[    0.099520] Kernel command line: vmlinuz pti=on"),
    ],
    "start",
    /lacks talos\.platform=metal/,
  ],
  ["it restarts", [...until("time"), asked], "time", /restarted/],
  [
    "the lease names no time server",
    [...until("time"), dhcp("request", { stage: "system" }), dhcp("ack", { address: "10.10.10.100" })],
    "time",
    /no time server/,
  ],
  [
    "the time is silent",
    [...until("time"), ...Array<What>(45).fill({ ...time, state: "asked" })],
    "time",
    /asked 45 times for the time/,
  ],
  [
    "a clock that is not set",
    [
      ...until("time"),
      ...Array<What[]>(23)
        .fill([
          { ...time, state: "asked" },
          { ...time, state: "answered", stratum: 16 },
        ])
        .flat(),
    ],
    "time",
    /no usable answer/,
  ],
  [
    "a panic",
    [...until("time"), line("minipc", "Kernel panic - not syncing: VFS: Unable to mount root fs")],
    "time",
    /panicked: VFS/,
  ],
  [
    "another config",
    [...until("config"), got("/configs/minipc.yaml", { sha256: "beef" })],
    "config",
    /another one than was decrypted/,
  ],
  [
    "a config that is refused",
    [
      ...until("accepted"),
      ...Array<What>(4).fill(got("/configs/minipc.yaml", { sha256: "c0ff" })),
      line("minipc", "failed to load config via platform metal: yaml: line 3: did not find expected key"),
    ],
    "accepted",
    /refused, and fetched 5 times: yaml: line 3: did not find expected key$/,
  ],
  [
    "a config that Talos cannot load",
    [
      ...until("accepted"),
      line(
        "minipc",
        '[talos] controller failed {"component": "controller-runtime", "controller": "config.AcquireController", "error": "failed to load config via platform metal: unknown keys found during decoding: tokn: abc"}',
      ),
    ],
    "accepted",
    /refused, .*: unknown keys found during decoding$/,
  ],
  [
    "a config that Talos does not validate",
    [
      ...until("accepted"),
      line("minipc", "failed to validate config acquired via platform metal: 1 error occurred: no CA"),
    ],
    "accepted",
    /refused, .*: no CA$/,
  ],
  [
    "a config that Talos refuses when it looks at the machine",
    [
      ...until("accepted"),
      line(
        "minipc",
        '[talos] controller failed {"error": "failed to runtime validate config acquired via platform metal: 1 error occurred:\\n\\t* kubelet image is not valid: version of Kubernetes 1.29.0 is too old to be used with Talos 1.11.6\\n\\n"}',
      ),
    ],
    "accepted",
    /refused, and fetched once: kubelet image is not valid: version .* too old to be used with Talos 1\.11\.6$/,
  ],
  [
    "a config with two faults for Talos 1.14, one of which is the virtual machine's",
    [
      ...until("accepted"),
      line(
        "minipc",
        '[talos] controller failed {"error": "failed to validate config acquired via platform metal: 2 errors occurred:\\n\\t* HostnameConfig: invalid \\"a b\\"\\n\\t* v1alpha1.Config: 1 error occurred:\\n\\t* no disks matched the expression: disk.size > 1u\\n\\n\\n\\n"}',
      ),
    ],
    "accepted",
    /refused, and fetched once: HostnameConfig: invalid "a b"$/,
  ],
  [
    "a kernel argument of another value",
    [
      ...until("time"),
      line("minipc", "[   19.2]  * KSPP kernel parameter pti was found with value off, expected on"),
    ],
    "time",
    /goes no further: KSPP kernel parameter pti was found with value off, expected on$/,
  ],
  [
    "Talos gives up before it has its config",
    [
      ...until("time"),
      line(
        "minipc",
        "[talos] error running phase 3 in initialize sequence: task 1/1: failed, no such device",
      ),
      line("minipc", "[talos] rebooting in 10 seconds"),
    ],
    "time",
    /gives up, rebooting in 10 seconds; .* says: \[talos\] error running phase 3/,
  ],
  [
    "the time is silent, and Talos restarts since its install disk is not there",
    [
      ...until("time"),
      got("/configs/minipc.yaml", { sha256: "c0ff" }),
      line("minipc", "[talos] machine config loaded successfully"),
      ...Array<What>(20).fill({ ...time, state: "asked" }),
      line("minipc", "[talos] task install (1/1): failed: lstat /dev/vda: no such file or directory"),
      ...[10, 8, 6, 4, 2, 0].map((left) => line("minipc", `[talos] rebooting in ${left} seconds`)),
      asked,
      ...Array<What>(20).fill({ ...time, state: "asked" }),
    ],
    "time",
    /asked 40 times for the time and got no usable answer/,
  ],
  [
    "Talos is not told of a config",
    [...until("config"), line("minipc", "[talos] entering maintenance service")],
    "config",
    /fetched no config, and waits for one in maintenance mode/,
  ],
])("%s", (_what, seen, at, says) => {
  const found = first(seen);
  expect(found.at).toBe(at);
  expect(found.broken).toMatch(says);
});

test("an argument that a busy serial port lost in one of the kernel's two lines is not missing", () => {
  const garbled = [
    ...until("start"),
    line("minipc", "[    0.000000] Command line: vmlinuz talos.plat=metal pti=on"),
  ];
  const whole = line("minipc", "[    0.099520] Kernel command line: vmlinuz talos.platform=metal p=on");
  expect(first(garbled)).toMatchObject({ at: "start", broken: undefined });
  expect(first([...garbled, whole]).at).toBe("time");
});

test("another host's questions and answers are not taken for the mini-PC's", () => {
  const other = until("script").concat({ ...got("/boot.ipxe"), mac: "02:00:5e:00:53:01" } as What);
  expect(first(other).at).toBe("script");
});

test("without a serial console the milestones show on the wire: an operating system asks for an address", () => {
  const wire = { hasSerialConsole: false };
  const silent = GOOD.filter((what) => what.kind !== "line" || what.machine === "appliance");
  expect(first(silent, wire)).toEqual({
    at: "start",
    broken: undefined,
    overdue: "no operating system asked for an address",
  });
  const unconfigured = silent.filter((what) => !("path" in what && what.path.startsWith("/configs/")));
  expect(first([...unconfigured, asked], wire).broken).toMatch(/restarted/);
  // With its config Talos may install itself, fail at that, and restart.
  expect(first([...silent, asked], wire).broken).toBeUndefined();
  expect(first([...silent, dhcp("discover", { stage: "system" })], wire).at).toBeUndefined();
  const [start] = chainFor({ ...expected, ...wire }).filter(({ id }) => id === "start");
  expect(start).toMatchObject({ title: "an operating system starts on the mini-PC", limitS: 300 });
  expect(chainFor({ ...expected, ...wire }).map(({ id }) => id)).toEqual(IDS.slice(0, -1));
});

/** As Talos 1.9 to 1.13 say it, and as 1.14 does, which checks all at once. */
test.each([
  "failed to runtime validate config acquired via platform metal: 1 error occurred:\\n\\t* no disks matched the expression: disk.size >= 10u",
  'failed to validate config acquired via platform metal: 1 error occurred:\\n\\t* v1alpha1.Config: 1 error occurred:\\n\\t* no disks matched the expression: disk.transport != \\"\\"\\n\\n\\n\\n"}',
])(
  "a selector that no virtual disk matches counts as accepted, and the evidence says how far: %s",
  (noDisk) => {
    const seen = [...until("accepted"), line("minipc", noDisk)];
    expect(first(seen).at).toBeUndefined();
    const reached = chainFor(expected)
      .at(-1)
      ?.reached({ seen: at(seen), expected });
    expect(reached?.evidence).toMatch(/^as far as a virtual mini-PC can show/);
  },
);

test("a config whose disk Talos would wait for in silence counts as accepted, and the evidence says how far", () => {
  const unseenDisk = "for the disk of its UnattendedInstallConfig Talos would wait in silence";
  const seen = at(GOOD);
  const accepted = (change: object) =>
    chainFor(expected)
      .at(-1)
      ?.reached({ seen, expected: { ...expected, ...change } })?.evidence;
  expect(accepted({ unseenDisk })).toMatch(
    /^its console: .*; that is as far as a virtual mini-PC can show: for the disk of its/,
  );
  expect(accepted({})).not.toMatch(/as far as/);
});

const set = (server: string) =>
  line("minipc", `[talos] setting time servers {"component": "c", "addresses": ["${server}"], "nts": false}`);

test("time servers that the config names are asked in place of the appliance, and that is no fault", () => {
  const before = [
    ...[...until("time"), set("time.cloudflare.com"), set("10.10.10.2")],
    got("/configs/minipc.yaml", { sha256: "c0ff" }),
    line("minipc", "[talos] machine config loaded successfully"),
  ];
  expect(first(before)).toMatchObject({ at: "time", broken: undefined });
  expect(first([...before, set("10.10.10.2")])).toMatchObject({ at: "time", broken: undefined });
  const own = [...before, set("192.168.1.1"), ...Array<What>(5).fill({ ...time, state: "asked" })];
  expect(first(own).at).toBeUndefined();
  // Talos applies the config before it says that it loaded it, and does more at once in between.
  expect(first([...before.slice(0, -1), set("192.168.1.1"), ...before.slice(-1)]).at).toBeUndefined();
});

test("a lease without a time server is a fault, also where Talos then says that it keeps its own", () => {
  const seen = [
    ...until("time"),
    dhcp("request", { stage: "system" }),
    dhcp("ack", { address: "10.10.10.100" }),
    ...[set("time.cloudflare.com"), config, line("minipc", "[talos] machine config loaded successfully")],
  ];
  expect(first(seen).broken).toMatch(/no time server/);
});

test.each([{}, { hasSerialConsole: false }])(
  "a config by which the mini-PC needs no time of the appliance is enough, and before it silence is no fault: %j",
  (console) => {
    const change = { timeElsewhere: "the config switches the keeping of time off", ...console };
    const before: What[] = [
      ...until("time"),
      ...[dhcp("discover", { stage: "system" }), dhcp("request", { stage: "system" })],
      dhcp("ack", { address: "10.10.10.100" }),
      ...Array<What>(50).fill({ ...time, state: "asked" }),
    ];
    expect(first(before, change)).toMatchObject({ at: "time", broken: undefined });
    expect(first(before, change).overdue).toMatch(/did not fetch its config/);
    expect(first([...before, config], change).at).toBe(
      console.hasSerialConsole === false ? undefined : "accepted",
    );
    const reached = chainFor(expected).find(({ id }) => id === "time")?.reached;
    expect(reached?.({ seen: at([...before, config]), expected: { ...expected, ...change } })?.evidence).toBe(
      "not asked of the appliance: the config switches the keeping of time off",
    );
  },
);

test("what comes after Talos has its config is not judged: it installs itself, or fails at that, and restarts", () => {
  const restarts: What[] = [talos("rebooting in 10 seconds"), asked];
  for (const words of ["install sequence: done: 20s", "install sequence: failed", "boot sequence: failed"]) {
    const loaded = [...until("time"), config, talos("machine config loaded successfully"), talos(words)];
    expect(first([...loaded, ...restarts])).toMatchObject({ at: "time", broken: undefined });
  }
  expect(first([...until("time"), ...restarts]).broken).toMatch(/rebooting in 10 seconds/);
});

test("the reason why the time is missing is also given at the end of the wait", () => {
  const { overdue } = first([...until("time"), { ...time, state: "asked" }, { ...time, state: "asked" }]);
  expect(overdue).toMatch(/asked 2 times for the time and got no usable answer/);
  const installs = [
    line("minipc", "[talos] task install (1/1): failed: lstat /dev/sda: no such file or directory"),
    asked,
  ];
  const restarting = first([...until("time"), ...installs]);
  expect(restarting).toMatchObject({ at: "time", broken: undefined });
  expect(restarting.overdue).toMatch(
    /did not ask .*; it restarted meanwhile, since the install disk is not there/,
  );
});

test("iPXE that asks for nothing after it was loaded is told from one that has its lease and does not fetch boot.ipxe", () => {
  expect(first(until("script")).overdue).toMatch(
    /^iPXE was handed over and is silent: nothing of it came on the link/,
  );
  const asks = dhcp("discover", { stage: "ipxe" });
  expect(first([...until("script"), asks]).overdue).toMatch(/^iPXE did not ask for boot\.ipxe/);
});

test("iPXE that stops after boot.ipxe, or after the kernel, is told from a download that stops", () => {
  const fetches = (path: string): What => ({
    link: "isolated",
    kind: "http",
    mac: MAC,
    path,
    state: "asked",
  });
  const fails = line("minipc", "bootstrap-pxe: kernel");
  expect(first([...until("kernel"), fails]).overdue).toMatch(
    /^iPXE has boot\.ipxe and did not ask for it; the mini-PC's console says: kernel$/,
  );
  expect(first([...until("kernel"), fetches("/talos/v1.11.6/vmlinuz")]).overdue).toMatch(
    /^the mini-PC did not fetch it to its end$/,
  );
  expect(first(until("initramfs")).overdue).toMatch(/^iPXE has the kernel and did not ask for it$/);
});

test("a config that is fetched again and again is told at the end of the wait", () => {
  const again = Array<What>(3).fill(got("/configs/minipc.yaml", { sha256: "c0ff" }));
  expect(first([...until("accepted"), ...again]).overdue).toMatch(/^the config was fetched 4 times/);
});

test("the screen may show the config from its arrival until the loader accepts it", () => {
  const shows = (seen: What[]) => mayShowConfig({ seen: at(seen), expected });
  expect(shows(until("config"))).toBe(false);
  expect(shows(until("accepted"))).toBe(true);
  expect(
    shows([...until("accepted"), talos("controller failed failed to load config via platform metal: x")]),
  ).toBe(true);
  expect(shows(GOOD)).toBe(false);
});

/** As the rehearsal follows a chain: what it calls broken after these, if anything. */
function verdict(whats: What[]): string | undefined {
  const { at: milestone, broken } = first(whats);
  return broken && `${milestone}: ${broken}`;
}

/** What Talos printed, as a rehearsal hears it, excerpts, of 1.11 a real one; what goes over the link meanwhile is put between the lines. */
function booted(name: string, answersTime: boolean): What[] {
  const redact = makeRedactor();
  const console = readFileSync(join(__dirname, "consoles", `${name}.txt`), "utf8")
    .trimEnd()
    .split("\n")
    .flatMap((line) => redact(line) ?? []);
  const beside: [says: RegExp, what: What[]][] = [
    [/fetching machine config from/, [got("/configs/minipc.yaml", { sha256: "c0ff" })]],
    [/setting time servers .*"10\.10\.10\.2"/, [{ ...time, state: "asked" }]],
    [/adjusting time/, answersTime ? [{ ...time, state: "answered", stratum: 10 }] : []],
    [/rebooting in 0/, [asked]],
  ];
  const said = console.flatMap((text) => {
    const [, what = []] = beside.find(([says]) => says.test(text)) ?? [];
    // The answer comes before Talos speaks of it, the question after.
    return /adjusting time/.test(text) ? [...what, line("minipc", text)] : [line("minipc", text), ...what];
  });
  return [...until("start"), ...said];
}

test.each<[name: string, answersTime: boolean, at: string | undefined, says: RegExp | undefined]>([
  ["accepted-config-first", true, undefined, undefined],
  ["accepted-time-first", true, undefined, undefined],
  ["argument-missing", true, "time", /goes no further: KSPP kernel parameter slab_nomerge is required$/],
  ["install-disk-missing", false, "time", undefined],
  [
    "refused-by-loader",
    true,
    "accepted",
    /refused, and fetched \d times: unknown keys found during decoding$/,
  ],
  ["no-disk-matches", true, "time", undefined],
  ...["1.12", "1.13", "1.14"].flatMap(
    (minor): [string, boolean, string | undefined, RegExp | undefined][] => [
      [
        `${minor}-refused-unknown-key`,
        true,
        "accepted",
        /refused, and fetched 5 times: error decoding document \/v1alpha1\/ \(line 1\): unknown keys found during decoding$/,
      ],
      [
        `${minor}-refused-wrong-type`,
        true,
        "accepted",
        /cannot (?:unmarshal|construct) !!str \(left out\) into bool$/,
      ],
      [`${minor}-refused-url`, true, "accepted", /parse \(left out\): invalid port \(left out\) after host$/],
      [`${minor}-no-disk-matches`, true, undefined, undefined],
      [`${minor}-own-time-servers`, false, undefined, undefined],
      [`${minor}-partial`, true, undefined, undefined],
    ],
  ),
  ["1.12-install-fails", false, "time", undefined],
  ["1.13-install-fails", false, "time", undefined],
  ["1.14-disk-pending", true, undefined, undefined],
])("Talos's console, %s: the verdict and its cause", (name, answersTime, milestone, says) => {
  const boot = booted(name, answersTime);
  const faults = boot.map((_what, length) => verdict(boot.slice(0, length + 1))).filter((each) => each);
  if (says) expect(faults[0]?.replace(/^\w+: /, "")).toMatch(says);
  else expect(faults).toEqual([]);
  expect(first(boot).at).toBe(milestone);
});

const timeAsked: What = { ...time, state: "asked" };
const unset: What = { ...time, state: "answered", stratum: 16 };
const told: What = { ...time, state: "answered", stratum: 10 };
const loaded = talos("machine config loaded successfully {}");
const waits = talos("entering maintenance service {}");
const selectorFails = [
  "failed to runtime validate config acquired via platform metal: 1 error occurred:\\n\\t* no disks matched the expression: x",
  "failed to runtime validate config acquired via platform metal: 1 error occurred:\\n\\t* v1alpha1.Config: 1 error occurred:\\n\\t* no disks matched the expression: x",
  "failed to validate config acquired via platform metal: 1 error occurred:\\n\\t* v1alpha1.Config: 1 error occurred:\\n\\t* no disks matched the expression: x",
].map((words) => talos(`controller failed {"error": "${words}"}`));
/** How an installation ends after which Talos restarts: for each reason it does. */
const INSTALLS = [
  ["task install (1/1): failed: lstat /dev/vda: no such file or directory", "install sequence: failed"],
  ["task install (1/1): failed: no disks matched the expression: x", "install sequence: failed"],
  ['task install (1/1): failed: task "upgrade" failed: exit code 1', "install sequence: failed"],
  ["install sequence: done: 20s", "reboot sequence: 10 phase(s)"],
  ["install successful {}", "requesting reboot after successful install {}"],
].map((words) => words.map(talos));
const rebooting = [10, 5, 0].map((left) => talos(`rebooting in ${left} seconds`));

/** What may come before the sign of a milestone, as much of it as chance wills. */
const BEFORE: Record<string, What[]> = {
  address: [line("appliance", serving), line("appliance", "bootstrap-pxe: dhcp: nothing yet")],
  lease: [asked, dhcp("offer", { address: "10.10.10.100", file: "snponly.efi" }), asked, asked, asked],
  loader: Array<What>(5).fill({ ...tftp, state: "asked" }),
  script: [syn, syn, syn, dhcp("discover", { stage: "ipxe" }), syn],
  kernel: [syn, syn, line("minipc", "bootstrap-pxe: that failed (0x4c106092)"), syn, syn],
  initramfs: [line("minipc", "bootstrap-pxe: that failed (0x4c106092)"), got("/talos/v1.11.6/vmlinuz")],
  start: [line("minipc", "bootstrap-pxe: booting Talos"), line("minipc", "BdsDxe: starting")],
};
const MEANWHILE: What[] = [
  { ...syn, mac: "02:00:5e:00:53:01" },
  { ...got("/configs/minipc.yaml"), state: "answered", status: 403, mac: "02:00:5e:00:53:01" } as What,
  { ...got("/favicon.ico"), state: "answered", status: 404 } as What,
  dhcp("discover", { stage: "system" }),
  line("minipc", '[talos] failed looking up "time.cloudflare.com", ignored'),
  line("minipc", '[talos] controller failed {"error": "error acquiring via platform metal: timed out"}'),
  line("appliance", "bootstrap-pxe: dhcp: discover from 02:00:5e:00:53:01: ignored"),
];

const pick = fc.gen().map((gen) => ({
  gen,
  nat: (most: number) => gen(fc.nat, most),
  of: <T>(each: readonly T[]): T => each[gen(fc.nat, each.length - 1)]!,
  shuffled: <T>(each: T[]): T[] =>
    gen(fc.shuffledSubarray<T>, each, { minLength: each.length, maxLength: each.length }),
}));
type Pick = typeof pick extends fc.Arbitrary<infer P> ? P : never;

const times = (count: number, ...whats: What[]): What[] => Array<What[]>(count).fill(whats).flat();

/** Lists joined into one by chance, each list's own order kept. */
function interleaved({ of }: Pick, lists: What[][]): What[] {
  const left = lists.map((list) => [...list]);
  const joined: What[] = [];
  while (left.some((list) => list.length > 0))
    joined.push(...of(left.filter((list) => list.length > 0)).splice(0, 1));
  return joined;
}

/** A boot up to the kernel's start, with more or less before each sign. */
const startOf = ({ nat }: Pick): What[] =>
  IDS.slice(0, IDS.indexOf("time")).flatMap((id, index) => {
    const before = BEFORE[id] ?? [];
    const accepted: What[] = id === "script" ? [{ ...syn, state: "accepted" }] : [];
    return [...before.slice(0, nat(before.length)), ...accepted, ...GOOD.slice(index, index + 1)];
  });

/** Asked again and again, told now and then by a clock that is not set yet, and at last answered. */
const timedOf = ({ nat, of }: Pick): What[] => [
  set("time.cloudflare.com"),
  set("10.10.10.2"),
  ...Array.from({ length: nat(7) }, () => of([[timeAsked], [timeAsked, unset]])).flat(),
  ...[timeAsked, told, talos("adjusting time (jump) by 1s via 10.10.10.2 {}")],
];

/** What Talos does with its config until that counts as accepted: fetches it once or more often, and says one of these. */
const acceptedOf = ({ nat, of }: Pick): What[] =>
  of([
    () => [config, loaded],
    () => [config, config, waits],
    () => [...times(4 + nat(3), config), of(selectorFails), config, of(selectorFails)],
  ])();

/** How a boot ends well, from the kernel's start on: what happens at once in lists, and what is expected of the config. */
const GOOD_ENDS: ((by: Pick) => { lists: What[][]; change?: Partial<Expected> })[] = [
  (by) => ({ lists: [timedOf(by), acceptedOf(by)] }),
  // Time servers of its own, as the config is read, and as Talos alone tells.
  (by) => ({
    lists: [
      [set("10.10.10.2"), ...times(by.nat(9), timeAsked)],
      [config, ...by.shuffled([loaded, set("192.168.1.1")])],
    ],
    change: { timeElsewhere: "the config names time servers, 192.168.1.1" },
  }),
  (by) => ({
    lists: [
      [set("10.10.10.2"), config, ...by.shuffled([loaded, set("192.168.1.1")])],
      times(by.nat(7), timeAsked),
    ],
    change: { hasSerialConsole: true },
  }),
  // Time switched off: what it asked before it had its config may stay without an answer.
  (by) => ({
    lists: [[set("10.10.10.2"), ...times(by.nat(20), timeAsked)], acceptedOf(by)],
    change: { timeElsewhere: "the config switches the keeping of time off" },
  }),
];

interface Stamped {
  seen: Seen[];
  atMs: number;
  starvedMs: number;
}
/** Goes on with what is seen within `mostMs` that the machines could use, and any time in which they were starved. */
function stamp({ nat }: Pick, before: Stamped, whats: What[], mostMs: number): Stamped {
  const after = { ...before, seen: [...before.seen] };
  for (const what of whats) {
    const starvedMs = nat(3) === 0 ? nat(30_000) : 0;
    after.starvedMs += starvedMs;
    after.atMs += starvedMs + nat(Math.floor(mostMs / whats.length));
    after.seen.push({ ...what, atMs: after.atMs, applianceStarvedMs: after.starvedMs });
  }
  return after;
}

/** Below what silence makes sure of: of a service that was asked, and, with the restarts, of the time. */
const [STARTS_MS, RUNS_MS, RESTARTS_MS] = [900, 18_000, 60_000];

/** A boot that ends well, with up to two restarts of a Talos that had its config, and on the console or the wire alone. */
const goodBoots = pick.map((by) => {
  const { nat, of } = by;
  const { lists, change } = of(GOOD_ENDS)(by);
  const { hasSerialConsole = nat(4) > 0 } = change ?? {};
  let all = stamp(by, { seen: [], atMs: 0, starvedMs: 0 }, startOf(by), STARTS_MS);
  const restarts = nat(2);
  for (let restart = 0; restart < restarts; restart++) {
    const installs = [config, loaded, talos("install sequence: 8 phase(s)"), ...of(INSTALLS), ...rebooting];
    const asking = [set("10.10.10.2"), ...times(nat(2), timeAsked)];
    all = stamp(by, all, interleaved(by, [installs, asking]), RUNS_MS / 3);
    all = stamp(by, { ...all, atMs: all.atMs + RESTARTS_MS }, startOf(by), STARTS_MS);
  }
  const meanwhile = by.gen(fc.shuffledSubarray<What>, MEANWHILE);
  const system = dhcp("discover", { stage: "system" });
  all = stamp(by, all, interleaved(by, [[system], ...lists, meanwhile]), RUNS_MS / 3);
  const isSeen = (what: Seen) => hasSerialConsole || !("machine" in what) || what.machine === "appliance";
  return { seen: all.seen.filter(isSeen), change: { ...change, hasSerialConsole } };
});

test("no beginning of a boot that ends well is called broken, in whatever order things happen at once, however often Talos restarts, and however busy the host is", () => {
  fc.assert(
    fc.property(goodBoots, ({ seen, change }) => {
      for (let length = 0; length <= seen.length; length++) {
        const { at: milestone, broken } = judge(seen.slice(0, length), change);
        expect({ length, milestone, broken }).toEqual({ length, milestone, broken: undefined });
      }
      expect(judge(seen, change).at).toBeUndefined();
    }),
  );
});

test("a milestone that is reached is never called broken", () => {
  const parts = [...GOOD, ...MEANWHILE, ...INSTALLS.flat(), ...selectorFails, ...rebooting];
  fc.assert(
    fc.property(fc.shuffledSubarray([...parts, timeAsked, unset, loaded, waits, asked, syn]), (whats) => {
      const view = { seen: at(whats), expected };
      for (const milestone of chainFor(expected))
        if (milestone.reached(view)) expect(firstBreak(view, [milestone])?.broken).toBeUndefined();
    }),
  );
});

describe("the operator's way in", () => {
  const DESK = "192.168.1.254";
  const open = { operator: DESK };
  const segment = (
    link: "isolated" | "uplink",
    state: "asked" | "accepted" | "refused",
    change: object = {},
  ): What => ({
    ...{ link, kind: "operator", mac: NIC, client: DESK, server: "10.10.10.100", port: 50000, state },
    ...change,
  });
  /** What the last milestone says of what was seen after a good boot. */
  function said(more: What[], stamp = at) {
    const view = { seen: stamp([...GOOD, ...more]), expected: { ...expected, ...open } };
    const milestone = chainFor(view.expected).at(-1)!;
    expect(milestone.id).toBe("way-in");
    return { evidence: milestone.reached(view)?.evidence, overdue: milestone.overdue(view).seen };
  }
  const asked = [segment("uplink", "asked"), segment("isolated", "asked")];

  test("is a milestone of a stack that has one", () => {
    expect(IDS).not.toContain("way-in");
    expect(judge(at(GOOD), open).at).toBe("way-in");
    expect(judge(at([...GOOD, ...asked, segment("uplink", "accepted")]), open).at).toBeUndefined();
  });

  test("leads to apid when its answer comes back to the host that asked", () => {
    expect(said([...asked, segment("uplink", "accepted")]).evidence).toBe(
      "192.168.1.254 on the uplink: port 50000 answers",
    );
  });

  test("leads to a mini-PC whose apid is not up yet, which Talos starts from its disk", () => {
    expect(said([...asked, segment("uplink", "refused")]).evidence).toMatch(
      /nothing listens on port 50000 yet$/,
    );
  });

  test("is broken when ten questions are not sent on, or ten answers do not come back", () => {
    const times = (count: number, ...whats: What[]) => Array.from({ length: count }, () => whats).flat();
    const broken = (more: What[]) => judge(at([...GOOD, ...more]), open).broken;
    expect(broken(times(9, asked[0]!))).toBeUndefined();
    expect(broken(times(10, asked[0]!))).toMatch(/and nothing got to the mini-PC$/);
    const unreturned = [...asked, segment("isolated", "accepted")];
    expect(broken(times(9, ...unreturned))).toBeUndefined();
    expect(broken(times(10, ...unreturned))).toMatch(/its answer did not come back$/);
  });

  test("leads to a mini-PC that answers nothing, such as one that has another address by its config", () => {
    const four = [1, 2, 3, 4].flatMap(() => asked);
    expect(said(four).evidence).toBeUndefined();
    expect(said([...four, ...asked]).evidence).toMatch(
      /^as far as a virtual mini-PC can show: .* it answers none$/,
    );
  });

  test("is waited for as long as the mini-PC has no CPU to answer with", () => {
    const starved = (whats: What[]) => at(whats).map((each) => ({ ...each, minipcStarvedMs: each.atMs }));
    const ten = Array.from({ length: 10 }, () => asked).flat();
    expect(said(ten, starved).evidence).toBeUndefined();
    const answered = [...ten, segment("uplink", "accepted")];
    expect(said(answered, starved).evidence).toMatch(/port 50000 answers$/);
  });

  test.each<[string, What[], RegExp]>([
    ["nothing is sent on", [1, 2, 3, 4, 5, 6].map(() => asked[0]!), /nothing got to the mini-PC$/],
    ["few questions are", asked, /few of its questions got to the mini-PC$/],
    [
      "the answer does not come back",
      [...[1, 2, 3, 4, 5].flatMap(() => asked), segment("isolated", "accepted")],
      /answered, and its answer did not come back$/,
    ],
    [
      "the answer comes back under another address",
      [...asked, segment("isolated", "accepted"), segment("uplink", "accepted", { server: "192.0.2.15" })],
      /did not come back$/,
    ],
    [
      "another host is answered, or another port",
      [
        segment("uplink", "accepted", { client: "192.0.2.77" }),
        segment("uplink", "accepted", { port: 6443 }),
      ],
      /nothing got to the mini-PC$/,
    ],
  ])("is not there where %s", (_what, more, seen) => {
    const { evidence, overdue } = said(more);
    expect(evidence).toBeUndefined();
    expect(overdue).toMatch(seen);
  });
});
