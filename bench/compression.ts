import { rmSync, statSync } from "node:fs";
import execa from "execa";
import type { StepContext } from "../steps/frame/context";
import { inTurn, seconds } from "./runs";
import { atLeast, atMost, imageOf, inputOf, newMac, runStep, type Bench } from "./setting";
import type { Figure } from "./table";

/** Each format, cold and after a changed MAC, against what a person would type. */
export async function compression(bench: Bench, log: StepContext["log"]): Promise<Figure[]> {
  const { checkout, env, lab, runs } = bench;
  const byHand = checkout.path("artifacts/by-hand.gz");
  const gzip = async () =>
    execa("sh", ["-c", 'gzip -9 -n -c "$1" >"$2"', "sh", await imageOf(bench), byHand]);
  const slow = await seconds({ measured: gzip }, 0);
  log(`gzip -9 ${slow.toFixed(1)} s`);
  const against = { what: "`gzip -9` of the whole raw", values: [slow] };
  const figures: Figure[] = [];
  for (const format of ["gzip", "zstd"]) {
    checkout.set("lab", { compress: format });
    await lab.up();
    const { path, ...given } = await inputOf<{ path: string }>(bench, "compressed-members");
    const bytes = statSync(checkout.path(path)).size;
    const cache = checkout.path("artifacts/bench-members");
    const made = checkout.path("artifacts/bench-compressed");
    const step = (run: number, input: object) =>
      runStep(bench, env, "compress", {
        ...given,
        ...input,
        ...{ cache, path: made, stack: "bench", key: `bench-${run}` },
      });
    const forget = (...paths: string[]) => {
      for (const one of [made, ...paths]) rmSync(one, { recursive: true, force: true });
    };
    const cold = await inTurn(
      runs,
      { step: { prepare: () => forget(cache), measured: (run) => step(run, {}) } },
      log,
    );
    checkout.set("lab", { minipcMac: newMac(100 + figures.length) });
    await lab.up();
    const changed = await inputOf(bench, "compressed-members");
    const warm = await inTurn(
      runs,
      { step: { prepare: () => forget(), measured: (run) => step(run, changed) } },
      log,
    );
    forget(cache);
    figures.push(
      {
        what: `(g) ${format}, cold`,
        unit: "s",
        here: { what: "the step, from start to checksum", values: cold.step },
        against,
        target: atLeast(7),
      },
      {
        what: "the same, after a changed MAC",
        unit: "s",
        here: { what: "the step", values: warm.step },
        against,
        target: atLeast(100),
      },
      {
        what: "the same, in size",
        unit: "MiB",
        here: { what: `the ${format} file`, values: [bytes] },
        against: { ...against, values: [statSync(byHand).size] },
        target: atMost(1.01),
      },
    );
  }
  rmSync(byHand);
  checkout.set("lab", { compress: "none" });
  return figures;
}
