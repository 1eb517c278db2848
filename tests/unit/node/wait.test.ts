import { duration, Waiting, type Look } from "../../../commands/node/wait";

/** A clock whose pauses are as long as they say, and take no time. */
class Hours {
  at = 0;
  readonly now = () => this.at;
  readonly pause = (milliseconds: number) => {
    this.at += milliseconds;
    return Promise.resolve();
  };
}
function waitingFor(minutes: number) {
  const clock = new Hours();
  const said: string[] = [];
  const context = { signal: new AbortController().signal, log: (line: string) => void said.push(line) };
  return { clock, said, waiting: new Waiting(context, minutes, clock) };
}
const etcd = { doing: "waiting for etcd", next: (still: string) => `Look why it is ${still}` };
const looks = (...all: Look<string>[]) => {
  let at = 0;
  return () => Promise.resolve(all[Math.min(at++, all.length - 1)] as Look<string>);
};

test("what is waited for is said first, each change of it once, and how long it took", async () => {
  const { said, waiting } = waitingFor(1);
  const seen = [{ still: "down" }, { still: "down" }, { still: "starting" }, { there: "3.6" }];
  const there = await waiting.for(etcd, looks(...seen), (version) => `etcd ${version} runs`);
  expect(there).toBe("3.6");
  expect(said).toEqual([
    "waiting for etcd",
    "waiting for etcd: down",
    "waiting for etcd: starting",
    "etcd 3.6 runs, after 3.0 s",
  ]);
});

test("a wait ends after its bound, with what was seen last and what to do", async () => {
  const { clock, waiting } = waitingFor(2);
  await expect(waiting.for(etcd, looks({ still: "down" }, { still: "stuck" }), String)).rejects.toThrow(
    "waiting for etcd: not there after 2 min 0 s (--timeout 2): stuck. Look why it is stuck",
  );
  expect(clock.at).toBe(120_000);
});

test("each wait has the whole bound, and what is there at the first look is never too late", async () => {
  const { clock, waiting } = waitingFor(1);
  const late = async (): Promise<Look<string>> => {
    await clock.pause(600_000);
    return { there: "late" };
  };
  expect(await waiting.for(etcd, late, String)).toBe("late");
  const almost = Array.from({ length: 59 }, () => ({ still: "down" }));
  expect(await waiting.for(etcd, looks(...almost, { there: "in time" }), String)).toBe("in time");
  expect(waiting.seconds()).toBe(659);
});

test.each([
  [0.04, "0.0 s"],
  [9.94, "9.9 s"],
  [75.4, "75 s"],
  [119.6, "2 min 0 s"],
  [372, "6 min 12 s"],
])("%d seconds are %s", (seconds, words) => {
  expect(duration(seconds)).toBe(words);
});
