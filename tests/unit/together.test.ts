import { setTimeout as pause } from "node:timers/promises";
import type { StepContext } from "../../steps/frame/context";
import { together } from "../../steps/frame/together";

const said: string[] = [];
const context = (signal = new AbortController().signal): StepContext => ({
  signal,
  scratch: "",
  log: (line: string) => void said.push(line),
});
beforeEach(() => void said.splice(0));

test("results come in the order of what they are of, however long each takes", async () => {
  const work = async (ms: number) => {
    await pause(ms);
    return ms * 2;
  };
  expect(await together(context(), [20, 1, 10], 2, work)).toEqual([40, 2, 20]);
});

test("the first fault stops the others, which say nothing more, and is the one that is thrown", async () => {
  const begun: number[] = [];
  const work = async (number: number, within: StepContext) => {
    begun.push(number);
    if (number === 2) throw new Error("the second");
    await new Promise((_, stop) => within.signal.addEventListener("abort", () => stop(new Error("stopped"))));
    within.log("not heard");
  };
  await expect(together(context(), [1, 2, 3, 4], 2, work)).rejects.toThrow("the second");
  expect(begun).toEqual([1, 2]);
  expect(said).toEqual([]);
});

test("who stops the whole is named, and not what that broke", async () => {
  const stop = new AbortController();
  const work = () => {
    stop.abort(new Error("stopped by SIGINT"));
    return Promise.reject(new Error("broken"));
  };
  await expect(together(context(stop.signal), [1], 1, work)).rejects.toThrow("stopped by SIGINT");
});
