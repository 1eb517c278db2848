import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bootFacts, feedOf, GOOD, IP, linesOf, MAC, NOW, type Feed } from "./status";

const statesOf = ({ boot }: Feed) => boot.steps.map(({ name, state }) => `${name}: ${state}`);
const doneIn = ({ boot }: Feed) => boot.steps.filter(({ state }) => state === "done").map(({ name }) => name);

test("a boot, replayed from a journal: each step with its time, and what the NIC's ROM made needless", async () => {
  const journal = readFileSync(join(__dirname, "../narrator/journal.txt"), "utf8");
  const lines = await linesOf(journal);
  const end = lines.findIndex((line) => / \/configs\/minipc\.yaml 200 /.test(line));
  const feed = await feedOf(lines.slice(0, end + 1));
  expect(feed.boot).toMatchSnapshot();
  expect(feed.diagnosis).toEqual({
    level: "good",
    text: "The mini-PC has its machine config (18 s ago); Talos installs itself and starts from the disk next.",
  });
});

test("a boot by UEFI firmware goes through each step, and the next one shows", async () => {
  const { boot } = await feedOf(bootFacts("config"));
  const steps = doneIn({ boot } as Feed);
  for (const [index, step] of steps.entries()) {
    const states = statesOf(await feedOf(bootFacts(step)));
    expect(states[index]).toBe(`${step}: done`);
    expect(states[index + 1]).toBe(`${boot.steps[index + 1]?.name}: next`);
    expect(states.filter((state) => state.endsWith(": awaited"))).toHaveLength(
      Math.max(0, boot.steps.length - index - 2),
    );
  }
  expect(steps).toHaveLength(8);
});

test("after the config, an address without a network boot, and ports that answer, are steps; a renewal is none", async () => {
  const fetched = bootFacts("config", NOW - 120);
  const asks = (second: number) => `${second} fact offer - ${MAC}`;
  expect(doneIn(await feedOf([...fetched, asks(NOW - 85)])).at(-1)).toBe("config");
  expect(doneIn(await feedOf([...fetched, asks(NOW - 30)])).at(-1)).toBe("disk");
  const { boot, diagnosis } = await feedOf([...fetched, asks(NOW - 30)], {
    "answers-50000": String(NOW - 10),
    "answers-6443": String(NOW - 4),
  });
  expect(boot.steps.slice(-3)).toMatchObject([
    { name: "disk", state: "done", at: NOW - 30 },
    { name: "apid", state: "done", at: NOW - 10 },
    { name: "kubernetes", state: "done", at: NOW - 4 },
  ]);
  expect(diagnosis).toEqual({
    level: "good",
    text: expect.stringMatching(
      /^Kubernetes answers on the mini-PC: its boot needs the appliance no more\./,
    ) as string,
  });
});

test("a node that was installed before the appliance was started is seen by its answers", async () => {
  const { boot, diagnosis } = await feedOf([], { "answers-50000": String(NOW - 10) });
  expect(boot.steps.find(({ name }) => name === "apid")).toMatchObject({ state: "done" });
  expect(diagnosis.text).toMatch(/^Talos answers on the mini-PC/);
});

test.each<[string, string[], Parameters<typeof feedOf>[1], string[]]>([
  [
    "iPXE in the NIC's ROM asks first, and loads none",
    [`${NOW - 9} fact ack boot.ipxe ${MAC}`, `${NOW - 8} fact http /boot.ipxe 200 ${IP}`],
    {},
    ["firmware: skipped", "program: skipped", "ipxe: done"],
  ],
  [
    "a node with an address of its own asks for none when it starts from its disk",
    bootFacts("config"),
    { "answers-50000": String(NOW) },
    ["config: done", "disk: unseen", "apid: done"],
  ],
  [
    "of a node that was installed before, no boot is seen",
    [],
    { "answers-50000": String(NOW) },
    ["firmware: unseen", "program: unseen", "ipxe: unseen", "config: unseen", "disk: unseen"],
  ],
  [
    "firmware was heard, so iPXE was loaded, from wherever",
    bootFacts("ipxe").filter((line) => !line.includes(" tftp ")),
    {},
    ["firmware: done", "program: unseen", "ipxe: done"],
  ],
])("a step that another one makes needless is told from one that was not seen: %s", async (...given) => {
  const [, lines, known, states] = given;
  expect(statesOf(await feedOf(lines, known))).toEqual(expect.arrayContaining(states));
});

test("firmware that loads by HTTP, and the other boot program, are the same steps", async () => {
  const facts = [`1 fact offer ipxe.efi ${MAC}`, `2 fact http /ipxe.efi 200 ${IP}`];
  expect(doneIn(await feedOf(facts))).toEqual(["firmware", "program"]);
});

test.each([
  ["firmware", "its firmware begins again"],
  ["ipxe", "iPXE in its NIC's ROM begins again"],
])("another boot begins when %s asks after the last one was under way: %s", async (step) => {
  const again =
    step === "ipxe" ? [`${NOW - 5} fact offer boot.ipxe ${MAC}`] : bootFacts("firmware", NOW - 5).slice(1);
  const feed = await feedOf([...bootFacts("kernel"), ...again]);
  expect(feed.boot.number).toBe(2);
  expect(doneIn(feed)).toEqual([step]);
  expect(feed.boot.title).toBe("The mini-PC's boot, number 2, begun at 19:01:25");
});

test("a question that is asked again is the same boot", async () => {
  const facts = [...bootFacts("firmware"), `${NOW - 50} fact offer snponly.efi ${MAC}`];
  expect((await feedOf(facts)).boot.number).toBe(1);
});

test("another machine's transfers and the appliance's own are no steps", async () => {
  const facts = ["1 fact http /boot.ipxe 200 10.10.10.66", "2 fact offer snponly.efi 02:00:00:00:00:01"];
  expect(doneIn(await feedOf(facts))).toEqual([]);
});

test("a clock that was set within a boot leaves the times, and no seconds since the boot began", async () => {
  const facts = [`900000000 fact offer snponly.efi ${MAC}`, `${NOW} fact tftp snponly.efi ${IP}`];
  const [first, second] = (await feedOf(facts)).boot.steps;
  expect(first).toMatchObject({ state: "done", time: "16:00:00", afterS: 0 });
  expect(second).toEqual({ name: "program", title: second?.title, state: "done", at: NOW, time: "19:01:30" });
});

test.each([
  [0, "1970-01-01 00:00:00"],
  [951_782_399, "2000-02-28 23:59:59"],
  [951_782_400, "2000-02-29 00:00:00"],
  [1_735_689_599, "2024-12-31 23:59:59"],
  [4_107_542_400, "2100-03-01 00:00:00"],
])("second %d is %s", async (second, time) => {
  expect((await feedOf([], {}, second)).time).toBe(time);
});

test("of an event that comes again and again, one line is kept, and of all events the last dozen", async () => {
  const many = Array.from({ length: 40 }, (_, index) => `${100 + index} said event ${index}`);
  const feed = await feedOf([...many, ...Array<string>(5).fill("140 said the same")]);
  expect(feed.events.map(({ text }) => text)).toEqual([
    "the same",
    ...Array.from({ length: 11 }, (_, index) => `event ${39 - index}`),
  ]);
});

test("what a client sent is in the feed as text", async () => {
  const journal = `1.1 nginx[4]: ${IP} - - [x] "GET /\\<b>\u001b&é HTTP/1.1" 404 1 "-" "x"\n`;
  const feed = await feedOf(await linesOf(journal));
  expect(feed.events[0]?.text).toMatch(/^http: GET \/\\<b>\?&\?+ 404 to 10\.10\.10\.100, 1 bytes$/);
});

test("the appliance's own reports are events", async () => {
  const feed = await feedOf(await linesOf(`${NOW}.5 bootstrap-pxe[7]: ${GOOD.verdict}\n`));
  expect(feed.events).toEqual([{ at: NOW, time: "19:01:30", text: GOOD.verdict }]);
});
