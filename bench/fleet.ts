import { statSync } from "node:fs";
import { run } from "../steps/programs/process";
import type { StepContext } from "../steps/frame/context";
import { seconds } from "./runs";
import { atMost, imageOf, newMac, type Bench } from "./setting";
import type { Figure } from "./table";

/** Bytes that a folder takes on disk. */
async function diskUse({ context }: Bench, folder: string): Promise<number> {
  const { stdout } = await run(context, "du", ["-s", "--block-size=1", folder]);
  return parseInt(stdout, 10);
}

/** Brings up stacks of another MAC and name each, by `npm run fleet`, and takes them down again. */
async function fleet(bench: Bench, size: number): Promise<{ seconds: number; bytes: number }> {
  const { checkout } = bench;
  const names = Array.from({ length: size }, (_, index) => `of${size}-${index + 1}`);
  for (const [index, name] of names.entries())
    checkout.configure(name, { artifactName: name, minipcMac: newMac(index) });
  const command = async (...args: string[]) => {
    const { exitCode, all } = await checkout.script("commands/fleet.mjs", args);
    if (exitCode !== 0) throw new Error(all);
  };
  const before = await diskUse(bench, checkout.path("artifacts"));
  const taken = await seconds({ measured: () => command("up", ...names) }, 0);
  const bytes = (await diskUse(bench, checkout.path("artifacts"))) - before;
  await command("destroy", ...names, "--yes");
  return { seconds: taken, bytes };
}

/** A third of the stacks takes a third of the time and of the disk, since layers are made once for all. */
export async function manyStacks(bench: Bench, log: StepContext["log"]): Promise<Figure[]> {
  const few = await fleet(bench, 10);
  log(`10 stacks ${few.seconds.toFixed(1)} s`);
  const many = await fleet(bench, 30);
  log(`30 stacks ${many.seconds.toFixed(1)} s`);
  const image = statSync(await imageOf(bench)).blocks * 512;
  return [
    {
      what: "(f) 30 stacks, layers there",
      unit: "s",
      here: { what: "`npm run fleet -- up` of 30", values: [many.seconds] },
      against: { what: "three times that of 10", values: [3 * few.seconds] },
      target: atMost(1.1),
    },
    {
      what: "the same, on disk",
      unit: "MiB",
      here: { what: "what 30 add", values: [many.bytes] },
      against: { what: "30 times one image", values: [30 * image] },
      target: atMost(1.05),
    },
  ];
}
