import type { Diagnosis } from "../../../rehearsal/record";
import { follow } from "../../../rehearsal/course";
import { until } from "../../../rehearsal/network/station";
import { inDoubt, stolenMs } from "../../../rehearsal/slowness";
import type { Stage } from "../../../rehearsal/stage";

const diagnosis: Diagnosis = {
  kind: "milestone",
  at: "lease",
  title: "the mini-PC is leased its address",
  side: "minipc",
  seen: "nobody answered",
  look: "Look at files/dnsmasq.conf",
};

test("where the machines had their CPU, the template is to be looked at", () => {
  expect(inDoubt(diagnosis, { ms: 120_000, lostMs: 20_000 })).toEqual(diagnosis);
});

test("where they lacked it, that is said first", () => {
  expect(inDoubt(diagnosis, { ms: 300_000, lostMs: 180_000 })).toMatchObject({
    at: "lease",
    seen: "nobody answered; but of 300 s the machines had no CPU for 180 s, since this host has other work: it may be slow rather than wrong",
    look: "Try it again when this host has less to do, before you change anything. If it stays: Look at files/dnsmasq.conf",
  });
});

test("what a hypervisor took counts a CPU, and nothing where the kernel does not tell", () => {
  expect(stolenMs("cpu  10 20 30 40 50 60 70 800 0 0", 2)).toBe(4000);
  expect(stolenMs("cpu  10 20 30 40", 2)).toBe(0);
  expect(stolenMs("", 2)).toBe(0);
});

test.each([
  ["had their CPU", 0, 6],
  ["lacked more than has passed", 1e6, 21],
])("an answer is waited for by what the machines could use of the time: they %s", async (_, more, looks) => {
  let [looked, lostMs] = [0, 0];
  const patience = { signal: new AbortController().signal, lostMs: () => (lostMs += more) };
  expect(await until(patience, () => void looked++, 100)).toBeUndefined();
  expect(looked).toBe(looks);
});

/** A stage on which nothing happens, on a host that takes a part of the time for itself. */
const idleStage = (share: number) => {
  let atMs = 0;
  return {
    get atMs() {
      return (atMs += 1000);
    },
    get lostMs() {
      return atMs * share;
    },
    throwIfLost: () => undefined,
    view: { seen: [], expected: {} },
  } as unknown as Stage;
};

test.each([
  [0, "not there", "Look there"],
  [0.6, "not there; but of ", "Try it again when this host has less to do"],
  [1.8, "not there; but of ", "Try it again when this host has less to do"],
])(
  "the verdict on a milestone that is overdue knows how much CPU was lacking: %d",
  async (share, seen, look) => {
    const milestone = {
      ...{ id: "x", title: "x", side: "appliance" as const, limitS: 0.5 },
      reached: () => undefined,
      overdue: () => ({ seen: "not there", look: "Look there" }),
    };
    const { signal } = new AbortController();
    const found = await follow({ signal }, idleStage(share), [milestone], () => undefined);
    expect(found?.seen.startsWith(seen)).toBe(true);
    expect(found?.look.startsWith(look)).toBe(true);
  },
);

test.each([
  ["the appliance answered is sure on any host", true, /^it was refused$/],
  ["nobody answered may be slow", false, /^it was refused; but of /],
])("what %s", async (_, isAnswer, seen) => {
  const milestone = {
    ...{ id: "x", title: "x", side: "minipc" as const, limitS: 60 },
    reached: () => undefined,
    broken: () => ({ seen: "it was refused", look: "Look there", isAnswer }),
    overdue: () => ({ seen: "", look: "" }),
  };
  const { signal } = new AbortController();
  const found = await follow({ signal }, idleStage(0.6), [milestone], () => undefined);
  expect(found?.seen).toMatch(seen);
  expect(found).not.toHaveProperty("isAnswer");
});
