import { readdirSync, readFileSync } from "node:fs";

/** Field 2 of a task's schedstat: nanoseconds that it could run and had no CPU (Linux, Documentation/scheduler/sched-stats). */
function waitedMs(task: string): number {
  try {
    return Number(readFileSync(`${task}/schedstat`, "utf8").split(" ")[1]) / 1e6 || 0;
  } catch {
    // The thread just ended, or the kernel keeps no count.
    return 0;
  }
}

/**
 * How long a process was kept from running by others on a busy host, in milliseconds: its most delayed thread counts.
 *
 * @returns 0 where the host does not tell
 */
export function starvedMs(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  try {
    return Math.max(0, ...readdirSync(tasks).map((task) => waitedMs(`${tasks}/${task}`)));
  } catch {
    return 0;
  }
}
