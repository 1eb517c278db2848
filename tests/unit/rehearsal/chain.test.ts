import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { chainFor, firstBreak, mayShowConfig, openAt } from "../../../steps/rehearsal/chain";
import type { DhcpMessage } from "../../../steps/rehearsal/network/dhcp";
import type { Expected } from "../../../steps/rehearsal/view";
import type { Seen, What } from "../../../steps/rehearsal/seen";

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

/** The first link that is not reached, and what it says is broken. */
function first(whats: What[], change: Partial<Expected> = {}) {
  const view = { seen: at(whats), expected: { ...expected, ...change } };
  const chain = chainFor(view.expected);
  const index = chain.findIndex(({ reached }) => !reached(view));
  const link = chain[index];
  const fault = link && firstBreak(view, openAt(chain, index));
  return { at: fault?.link.id ?? link?.id, broken: fault?.broken.seen, overdue: link?.overdue(view).seen };
}

test("a good boot reaches every link, each by its own sign", () => {
  expect(first(GOOD).at).toBeUndefined();
  IDS.forEach((id, index) => expect(first(GOOD.filter((_what, place) => place !== index)).at).toBe(id));
});

test.each(IDS)("nothing that was seen before %s says that it is broken, and its delay is described", (id) => {
  const before = GOOD.slice(0, IDS.indexOf(id));
  expect(first(before)).toMatchObject({ at: id, broken: undefined });
  expect(first(before).overdue).toMatch(/\w+ \w+ \w+/);
});

const until = (id: string) => GOOD.slice(0, IDS.indexOf(id));
const asked = dhcp("discover", { stage: "firmware" });
const syn: What = { link: "isolated", kind: "connect", mac: MAC, state: "asked" };

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
    [...until("time"), ...Array<What>(4).fill({ ...time, state: "asked" })],
    "time",
    /asked 4 times for the time/,
  ],
  [
    "a clock that is not set",
    [
      ...until("time"),
      ...Array<What>(4).fill({ ...time, state: "asked" }),
      { ...time, state: "answered", stratum: 16 },
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
      { ...time, state: "asked" },
      line("minipc", "[talos] task install (1/1): failed: lstat /dev/vda: no such file or directory"),
      ...[10, 8, 6, 4, 2, 0].map((left) => line("minipc", `[talos] rebooting in ${left} seconds`)),
      asked,
    ],
    "time",
    /asked once for the time and got no usable answer/,
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

test("without a serial console the links show on the wire: an operating system asks for an address", () => {
  const wire = { hasSerialConsole: false };
  const silent = GOOD.filter((what) => what.kind !== "line" || what.machine === "appliance");
  expect(first(silent, wire)).toEqual({
    at: "start",
    broken: undefined,
    overdue: "no operating system asked for an address",
  });
  expect(first([...silent, asked], wire).broken).toMatch(/restarted/);
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

test("time servers that the config names are asked in place of the appliance, and that is no fault", () => {
  const set = (server: string) =>
    line(
      "minipc",
      `[talos] setting time servers {"component": "c", "addresses": ["${server}"], "nts": false}`,
    );
  const before = [
    ...[...until("time"), set("time.cloudflare.com"), set("10.10.10.2")],
    got("/configs/minipc.yaml", { sha256: "c0ff" }),
    line("minipc", "[talos] machine config loaded successfully"),
  ];
  expect(first(before)).toMatchObject({ at: "time", broken: undefined });
  expect(first([...before, set("10.10.10.2")])).toMatchObject({ at: "time", broken: undefined });
  const own = [...before, set("192.168.1.1"), ...Array<What>(5).fill({ ...time, state: "asked" })];
  expect(first(own).at).toBeUndefined();
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

test("a config that is fetched again and again is mentioned at the end of the wait", () => {
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
  const { at: link, broken } = first(whats);
  return broken && `${link}: ${broken}`;
}

/** What real Talos printed, excerpts; what goes over the link meanwhile is put between the lines. */
function booted(name: string, answersTime: boolean): What[] {
  const console = readFileSync(join(__dirname, "consoles", `${name}.txt`), "utf8")
    .trimEnd()
    .split("\n");
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
  ["install-disk-missing", false, "time", /asked once for the time and got no usable answer/],
  [
    "refused-by-loader",
    true,
    "accepted",
    /refused, and fetched \d times: unknown keys found during decoding$/,
  ],
  ["no-disk-matches", true, "time", undefined],
])("real Talos, %s: the verdict and its cause", (name, answersTime, link, says) => {
  const boot = booted(name, answersTime);
  const faults = boot.map((_what, length) => verdict(boot.slice(0, length + 1))).filter((each) => each);
  if (says) expect(faults[0]?.replace(/^\w+: /, "")).toMatch(says);
  else expect(faults).toEqual([]);
  expect(first(boot).at).toBe(link);
});

const talos = (words: string) => line("minipc", `[   48.7] [talos] ${words}`);
const config = got("/configs/minipc.yaml", { sha256: "c0ff" });
const TIMED: What[] = [
  { ...time, state: "asked" },
  { ...time, state: "asked" },
  { ...time, state: "answered", stratum: 10 },
];
const INSTALL_FAILS: What[] = [
  config,
  talos("machine config loaded successfully"),
  talos("task install (1/1): failed: lstat /dev/vda: no such file or directory"),
  talos("install sequence: failed"),
  talos("error running phase 2 in install sequence: task 1/1: failed, lstat /dev/vda: no such file"),
  talos("rebooting in 10 seconds"),
];
/** What may happen in any order once the kernel runs, each list in its own order: Talos does them at once. */
const AT_ONCE: What[][][] = [
  [TIMED, [config, talos("machine config loaded successfully")]],
  [TIMED, INSTALL_FAILS, [config, config]],
  [TIMED, [config, talos("entering maintenance service")]],
  [
    TIMED,
    [
      ...[config, config, config, config],
      talos(
        "controller failed failed to runtime validate config acquired via platform metal: 1 error occurred:\\n\\t* no disks matched the expression: x",
      ),
    ],
  ],
  [
    [{ ...time, state: "asked" }],
    [
      ...[config, talos("machine config loaded successfully")],
      talos('setting time servers {"addresses": ["192.168.1.1"]}'),
      { ...time, state: "asked" },
    ],
  ],
];
/** What may come before the sign of a link, as much of it as chance wills. */
const BEFORE: Record<string, What[]> = {
  lease: [asked, dhcp("offer", { address: "10.10.10.100", file: "snponly.efi" })],
  loader: [
    { ...tftp, state: "asked" },
    { ...tftp, state: "asked" },
  ],
  script: [syn, syn],
  kernel: [syn, syn],
  start: [line("minipc", "bootstrap-pxe: booting Talos"), line("minipc", "BdsDxe: starting")],
};
const MEANWHILE: What[] = [
  { ...syn, mac: "02:00:5e:00:53:01" },
  { ...got("/configs/minipc.yaml"), state: "answered", status: 403, mac: "02:00:5e:00:53:01" } as What,
  dhcp("discover", { stage: "system" }),
  line("minipc", '[talos] failed looking up "time.cloudflare.com", ignored'),
  line("appliance", "bootstrap-pxe: dhcp: discover from 02:00:5e:00:53:01: ignored"),
];

/** Lists joined into one, in the order that the numbers say, each list's own order kept. */
function interleaved(lists: What[][], order: number[]): What[] {
  const left = lists.map((list) => [...list]);
  const joined: What[] = [];
  for (let step = 0; left.some((list) => list.length > 0); step++) {
    const open = left.filter((list) => list.length > 0);
    const chosen = open[(order[step % order.length] ?? 0) % open.length];
    joined.push(...(chosen?.splice(0, 1) ?? []));
  }
  return joined;
}

const orders = fc.array(fc.nat(60), { minLength: 1, maxLength: 30 });
/** A boot up to the kernel's start, with more or less before each sign. */
const starts = fc.array(fc.nat(3), { minLength: IDS.length, maxLength: IDS.length }).map((more) =>
  IDS.slice(0, IDS.indexOf("time")).flatMap((id, index) => {
    const sign = GOOD[index];
    const accepted: What[] = id === "script" ? [{ ...syn, state: "accepted" }] : [];
    return [...(BEFORE[id]?.slice(0, more[index]) ?? []), ...accepted, ...(sign ? [sign] : [])];
  }),
);

/** No beginning of it is called broken, and all of it reaches every link. */
function expectNeverBroken(boot: What[]): void {
  for (let length = 0; length <= boot.length; length++) {
    const { at: link, broken } = first(boot.slice(0, length));
    expect({ length, link, broken }).toEqual({ length, link, broken: undefined });
  }
  expect(first(boot).at).toBeUndefined();
}

test("no beginning of a boot that ends well is called broken, in whatever order things happen at once", () => {
  fc.assert(
    fc.property(
      ...([starts, fc.constantFrom(...AT_ONCE), orders, fc.shuffledSubarray(MEANWHILE)] as const),
      (start, lists, order, meanwhile) =>
        expectNeverBroken([...start, ...interleaved([...lists, meanwhile], order)]),
    ),
  );
});

test("a boot that ends well after Talos restarted for lack of its install disk is not called broken either", () => {
  fc.assert(
    fc.property(starts, fc.constantFrom(...AT_ONCE), orders, (start, lists, order) =>
      expectNeverBroken([
        ...[...start, ...INSTALL_FAILS],
        ...[...start.filter((what) => !("machine" in what && what.machine === "appliance"))],
        ...interleaved(lists, order),
      ]),
    ),
  );
});

test("a link that is reached is never called broken", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...GOOD, ...AT_ONCE.flat(2), ...MEANWHILE]), (whats) => {
      const view = { seen: at(whats), expected };
      for (const link of chainFor(expected))
        if (link.reached(view)) expect(firstBreak(view, [link])?.broken).toBeUndefined();
    }),
  );
});
