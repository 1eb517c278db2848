import { spawn } from "node:child_process";
import { starvedMs } from "../../rehearsal/machines/starvation";
import { until } from "../engine/aftermath";

test("a process that shares its CPU with another is kept waiting, and that is counted", async () => {
  const spin = () => spawn("taskset", ["--cpu-list", "0", "sh", "-c", "while :; do :; done"]);
  const processes = [spin(), spin()];
  try {
    const [one, other] = processes.map(({ pid }) => pid as number) as [number, number];
    await until("a wait", () => starvedMs(one) > 0 && starvedMs(other) > 0);
  } finally {
    for (const process of processes) process.kill("SIGKILL");
  }
});

test("a process that ended was not kept waiting", () => {
  // Above Linux's largest pid.
  expect(starvedMs(2 ** 22 + 1)).toBe(0);
});
