import { reportProgress } from "../../steps/lib/progress";

const MIB = 1 << 20;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** What is told while work goes on for some seconds, a look every tenth of one. */
function told(doneAfter: (tenths: number) => number, seconds: number, total?: number): string[] {
  const lines: string[] = [];
  let tenths = 0;
  const stop = reportProgress({ log: (line) => lines.push(line) }, "work", () => doneAfter(tenths), total);
  for (; tenths < 10 * seconds; tenths++) jest.advanceTimersByTime(100);
  stop();
  jest.advanceTimersByTime(5000);
  return lines;
}

test("a figure that moves, once a second, and none after the end", () => {
  expect(told((tenths) => tenths * MIB, 3, 40 * MIB)).toEqual([
    "work: 9 of 40 MiB, 22 %",
    "work: 19 of 40 MiB, 47 %",
    "work: 29 of 40 MiB, 72 %",
  ]);
});

test("without a total, what is done so far", () => {
  expect(told((tenths) => tenths * MIB, 2)).toEqual(["work: 9 MiB", "work: 19 MiB"]);
});

test("nothing while nothing moves", () => {
  expect(told(() => 0, 3, MIB)).toEqual([]);
  expect(told(() => MIB, 3, MIB)).toEqual(["work: 1 of 1 MiB, 100 %"]);
});
