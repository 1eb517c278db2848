import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { TICKS_PER_SECOND } from "../steps/frame/processes.cjs";
import type { Diagnosis } from "./record";

/** The kernel's own count for all CPUs together. */
function cpuLine(): string {
  try {
    return readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "";
  } catch {
    return "";
  }
}

/**
 * How long a CPU of this host had to wait since it started while its hypervisor ran others, in milliseconds; 0 where the host does
 * not tell.
 *
 * @param line of /proc/stat: its eighth number, `steal`
 */
export function stolenMs(line = cpuLine(), cpus = availableParallelism()): number {
  const ticks = Number(line.trim().split(/\s+/)[8]);
  return Number.isFinite(ticks) ? (1000 * ticks) / TICKS_PER_SECOND / cpus : 0;
}

/** From this share of lost time on, a machine that is not done may be slow rather than wrong. */
const DOUBTFUL = 1 / 3;

/** Machines that lack CPU at once lose more together than has passed: a limit is at most four times as long. */
const MOST_LOST = 3 / 4;

/** How much of a wait counts as lost, in milliseconds. */
export const lostOf = (ms: number, lostMs: number) => Math.min(lostMs, ms * MOST_LOST);

const inSeconds = (ms: number) => `${Math.round(ms / 1000)} s`;

/**
 * What a diagnosis says where the machines lacked CPU while it was waited for: that they may be slow rather than wrong, before
 * anything is blamed.
 *
 * @param waited how long, in milliseconds, and how much of it the machines could not use
 */
export function inDoubt(diagnosis: Diagnosis, waited: { ms: number; lostMs: number }): Diagnosis {
  if (waited.lostMs < waited.ms * DOUBTFUL || waited.lostMs === 0) return diagnosis;
  const lost = `of ${inSeconds(waited.ms)} the machines had no CPU for ${inSeconds(waited.lostMs)}, since this host has other work`;
  return {
    ...diagnosis,
    seen: `${diagnosis.seen}; but ${lost}: it may be slow rather than wrong`,
    look: `Try it again when this host has less to do, before you change anything. If it stays: ${diagnosis.look}`,
  };
}
