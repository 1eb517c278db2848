import execa from "execa";

/** One side of a ratio while it is measured. */
export interface Runner {
  /** Work that a run needs before the clock starts. */
  prepare?: (run: number) => Promise<unknown> | void;
  measured: (run: number) => Promise<unknown>;
}

/** Seconds that a run takes. What earlier runs wrote is synced to the disk before it begins, and does not slow it down. */
export async function seconds({ prepare, measured }: Runner, run: number): Promise<number> {
  await prepare?.(run);
  await execa("sync");
  const begun = performance.now();
  await measured(run);
  return (performance.now() - begun) / 1000;
}

/** Runs the sides in turn, `runs` times each, after one run of each that warms the page cache and does not count. */
export async function inTurn<K extends string>(
  runs: number,
  sides: Record<K, Runner>,
  log: (line: string) => void,
): Promise<Record<K, number[]>> {
  const names = Object.keys(sides) as K[];
  const taken = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let run = 0; run <= runs; run++) {
    for (const name of names) {
      const one = await seconds(sides[name], run);
      if (run > 0) taken[name].push(one);
    }
    const last = names.map((name) => `${name} ${(taken[name].at(-1) ?? 0).toFixed(2)} s`).join(", ");
    log(run === 0 ? "warmed up" : `run ${run} of ${runs}: ${last}`);
  }
  return taken;
}
