import { bootFacts, feedOf, GOOD, IP, linesOf, MAC, NOW, screenOf } from "./status";

const OTHER = "52:54:00:99:99:99";

/** Lines of a journal, a second apart, the last one now. */
const journal = (...lines: string[]) =>
  lines.map((line, index) => `${NOW - lines.length + 1 + index}.25 ${line}\n`).join("");
const rowOf = async (name: string, ...given: Parameters<typeof feedOf>) =>
  (await feedOf(...given)).rows.find((row) => row.name === name);

test("a program that the kernel ends for want of memory is a fault and an event, from the kernel's line", async () => {
  const killed = `kernel: Out of memory: Killed process 612 (nginx) total-vm:61104kB, anon-rss:2048kB, file-rss:0kB, shmem-rss:0kB, UID:33 pgtables:76kB oom_score_adj:0`;
  const lines = await linesOf(
    journal("kernel: nginx invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0", killed),
  );
  const { diagnosis, events } = await feedOf([...bootFacts("config"), ...lines]);
  expect(diagnosis).toEqual({
    level: "fault",
    text: "The appliance has too little memory, and the kernel ended nginx: give the virtual machine 1 GiB and start it again.",
  });
  expect(events.map(({ text }) => text)).toEqual([
    "memory: this virtual machine has too little, and the kernel ended nginx",
  ]);
});

test("no line of a client counts as the kernel's", async () => {
  const lines = await linesOf(
    journal(`nginx[4]: ${IP} - - [x] "GET /Out of memory: Killed process 1 (a) HTTP/1.1" 404 1 "-" "x"`),
  );
  expect((await feedOf(lines)).diagnosis.level).not.toBe("fault");
});

test.each([
  ["3599.876543", "attention", "set by 162.159.200.1, and was wrong by 3599 s: set the NAS's"],
  ["-86400.5", "attention", "set by 162.159.200.1, and was wrong by 86400 s: set the NAS's"],
  ["60.5", "attention", "set by 162.159.200.1, and was wrong by 60 s: set the NAS's"],
  ["59.5", "good", "set by 162.159.200.1"],
  ["-1.5", "good", "set by 162.159.200.1"],
])(
  "a clock that chrony found to be wrong by %s s: that is said of more than a minute",
  async (wrongBy, level, value) => {
    const lines = await linesOf(journal(`chronyd[388]: System clock wrong by ${wrongBy} seconds`));
    expect(await rowOf("time", lines)).toEqual({ name: "time", level, value });
    expect((await feedOf(lines)).events[0]?.text).toBe(`time: the clock was wrong by ${wrongBy} seconds`);
  },
);

test("another NIC of the mini-PC, from dnsmasq's line: its MAC is told from the pinned one, until the config is fetched", async () => {
  const asks = await linesOf(
    journal(
      `systemd-helper[411]: Nov 23 19:00:43 dnsmasq-dhcp[411]: 77 DHCPDISCOVER(isolated) ${OTHER} ignored`,
    ),
  );
  const { diagnosis, events } = await feedOf([...bootFacts("firmware"), ...asks]);
  expect(diagnosis.text).toBe(
    `${OTHER} asks for an address (0 s ago), after ${MAC} did: another NIC of the mini-PC, or another machine. It gets no answer: have the mini-PC boot by the NIC ${MAC}.`,
  );
  expect(events[0]?.text).toBe(`dhcp: discover from ${OTHER}: ignored`);
  const { level } = (await feedOf([...bootFacts("config"), ...asks])).diagnosis;
  expect(level).toBe("good");
});

test("a file that is cut off is no step, and iPXE that stopped at it stays stuck", async () => {
  const stopped =
    "iPXE was sent the kernel and has not fetched the initramfs, and nothing more is heard of it";
  const cut = await linesOf(
    journal(`nginx[4]: ${IP} - - [x] "GET /talos/v1.11.6/initramfs.xz HTTP/1.1" 200 70 "-" "iPXE" complete=`),
  );
  const { boot, diagnosis } = await feedOf([...bootFacts("kernel"), `${NOW - 40} said ${stopped}`, ...cut]);
  expect(boot.steps.find(({ name }) => name === "initramfs")).toMatchObject({ state: "next" });
  expect(diagnosis.text).toBe(`The mini-PC is stuck: ${stopped}.`);
});

test.each([
  ["no", "attention", "router 192.168.1.1, DNS 192.168.1.1, ghcr.io does NOT answer"],
  ["yes", "good", "router 192.168.1.1, DNS 192.168.1.1"],
  ["", "good", "router 192.168.1.1, DNS 192.168.1.1"],
])("the way out, with ghcr.io answering: '%s'", async (internet, level, value) => {
  expect(await rowOf("way out", [], { internet })).toEqual({ name: "way out", level, value });
});

test("without internet a node that is installed is told of it too", async () => {
  const { diagnosis } = await feedOf([], { internet: "no", "answers-50000": String(NOW - 3) });
  expect(diagnosis.level).toBe("attention");
  expect(diagnosis.text).toMatch(/^Talos answers on the mini-PC.* But: no internet, since ghcr\.io /);
});

test("without internet the clock is not set either, and the cause comes first", async () => {
  const verdict = `${GOOD.verdict}; clock unsynchronised`;
  const { diagnosis } = await feedOf([], { internet: "no", verdict });
  expect(diagnosis.text).toMatch(/ But: no internet, since ghcr\.io .*; clock unsynchronised\.$/);
});

test.each([
  ["true", / needs the appliance no more\. Take its mirrors away \(docs\/offline\.md\), and delete this /],
  ["", / needs the appliance no more\. Once it has its lasting way to the internet, delete this /],
])(
  "when Kubernetes answers, the sentence says what comes before the deletion (offline: '%s')",
  async (offline, text) => {
    const { diagnosis } = await feedOf(bootFacts("config"), { offline, "answers-6443": String(NOW) });
    expect(diagnosis).toEqual({ level: "good", text: expect.stringMatching(text) as string });
  },
);

test("the screen of a node that answers has the boot from the network in one line, and what came after", async () => {
  const screen = await screenOf([...bootFacts("config", NOW - 150), `${NOW - 60} fact offer - ${MAC}`], {
    "answers-50000": String(NOW - 20),
  });
  const at = screen.findIndex((line) => /^The mini-PC's boot, begun at /.test(line));
  expect(screen.slice(at + 1, at + 6)).toEqual([
    "  [x] 18:59:18    +18 s  the boot from the network, in 7 steps",
    "  [x] 18:59:21    +21 s  Talos fetches its machine config",
    "  [x] 19:00:30    +90 s  Talos starts from its disk",
    "  [x] 19:01:10   +130 s  Talos answers on port 50000",
    "  [>]                    Kubernetes answers on port 6443",
  ]);
});
