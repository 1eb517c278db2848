// npm run bench: compares with what the same machine does anyway, so that the figures mean the same everywhere.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import execa from "execa";
import * as prettier from "prettier";
import { chooseAccelerator } from "../steps/programs/accelerator";
import { writeSiteLayer, type SiteSources } from "../steps/disk/site-layer";
import type { StepContext } from "../steps/frame/context";
import { runProgram } from "../steps/frame/main";
import { Checkout } from "../tests/checkout";
import { readCommandLine } from "../commands/command-line.cjs";
import { BENCH, type BENCH_PARTS } from "../commands/commands.cjs";
import { TOP } from "../tools/setup/context.cjs";
import { coldBuild } from "./cold-build";
import { compression } from "./compression";
import { contentBytes } from "./content";
import { manyStacks } from "./fleet";
import { EmptyProgram, environment, Stack } from "./pulumi";
import { imagesLayer } from "./images";
import { rehearsal } from "./rehearsal";
import { inTurn } from "./runs";
import { atLeast, atMost, imageOf, inputOf, newMac, runStep, type Bench } from "./setting";
import { insert, table, type Figure } from "./table";

type Part = (typeof BENCH_PARTS)[number];

async function changedMac(bench: Bench, log: StepContext["log"]): Promise<Figure[]> {
  const { context, checkout, env, lab, runs } = bench;
  const emptyIn = async (start: "compiled" | "ts-node") => {
    const program = new EmptyProgram(context, env, checkout.path("artifacts", `empty-${start}`), start);
    await program.pulumi("stack", "init");
    await program.up();
    return program;
  };
  const [compiled, asMade] = [await emptyIn("compiled"), await emptyIn("ts-node")];
  const empty = (program: EmptyProgram) => ({
    prepare: (run: number) => program.setWord(`word-${run}`),
    measured: () => program.up(),
  });
  const changed = {
    prepare: (run: number) => checkout.set("lab", { minipcMac: newMac(run) }),
    measured: () => lab.up(),
  };
  const taken = await inTurn(runs, { up: changed, empty: empty(compiled), asMade: empty(asMade) }, log);
  const here = { what: "`up`, rehearsal off", values: taken.up };
  return [
    {
      what: "(a) a changed MAC, from command to image",
      unit: "s",
      here,
      against: {
        what: "an empty program's `up`, one Command changed, compiled beforehand",
        values: taken.empty,
      },
      target: atMost(1.5),
    },
    {
      what: "the same",
      unit: "s",
      here,
      against: { what: "the same as `pulumi new typescript` leaves it", values: taken.asMade },
      target: atMost(1.5),
    },
  ];
}

async function assembly(bench: Bench, log: StepContext["log"]): Promise<Figure[]> {
  const { context, checkout, env, runs } = bench;
  const [input, image] = [await inputOf<SiteSources>(bench, "appliance-assembly"), await imageOf(bench)];
  const consoleHash = "$2a$10$abcdefghijklmnopqrstuuPZ1Y5VQ1i4v3JQ5m1e0q6rJm6V0wG7K";
  const [made, copy] = ["assembled.raw", "copy.raw"].map((name) => checkout.path("artifacts", name)) as [
    string,
    string,
  ];
  const step = (run: number) =>
    runStep(bench, { ...env, CONSOLE_HASH: consoleHash }, "appliance", {
      ...input,
      key: `bench-${run}`,
      path: made,
      stack: "bench",
    });
  const copying = (...then: string[]) => ({
    prepare: () => rmSync(copy, { force: true }),
    measured: () =>
      execa("sh", ["-c", ['cp --sparse=always "$1" "$2"', ...then].join(" && "), "sh", image, copy]),
  });
  const sides = {
    step: { prepare: () => rmSync(made, { force: true }), measured: step },
    copy: copying(),
    copyAndSum: copying('sha256sum "$2"'),
    site: {
      measured: (run: number) =>
        writeSiteLayer(
          context,
          { ...input, ...absolute(input, checkout), consoleHash },
          join(context.scratch, `site-${run}`),
        ),
    },
  };
  const taken = await inTurn(runs, sides, log);
  for (const path of [made, copy]) rmSync(path, { force: true });
  const here = { what: "the step, from start to checksum", values: taken.step };
  return [
    {
      what: "(b) the assembly",
      unit: "s",
      here,
      against: { what: "`cp --sparse=always` of the image", values: taken.copy },
      target: atMost(1.2),
    },
    {
      what: "the same",
      unit: "s",
      here,
      against: { what: "the copy and its `sha256sum`", values: taken.copyAndSum },
      target: atMost(1.2),
    },
    {
      what: "the site layer",
      unit: "s",
      here: { what: "secrets decrypted, squashfs written", values: taken.site },
      target: atMost(0.3),
    },
  ];
}

/** Paths in a step's input start at the checkout's top. */
function absolute({ machineConfig, talosConfig, ageKeyFile }: SiteSources, checkout: Checkout) {
  const held = (file: { path: string; sha256: string }) => ({ ...file, path: checkout.path(file.path) });
  return {
    machineConfig: held(machineConfig),
    talosConfig: talosConfig && held(talosConfig),
    ageKeyFile: ageKeyFile && checkout.path(ageKeyFile),
  };
}

async function unchangedPreview(bench: Bench, log: StepContext["log"]): Promise<Figure[]> {
  const { context, checkout, env, lab, runs } = bench;
  const empty = new EmptyProgram(context, env, checkout.path("artifacts", "empty-preview"), "compiled");
  await empty.pulumi("stack", "init");
  await empty.up();
  await lab.up();
  const sides = { preview: { measured: () => lab.preview() }, empty: { measured: () => empty.preview() } };
  const taken = await inTurn(runs, sides, log);
  return [
    {
      what: "(c) `preview` without a change",
      unit: "s",
      here: { what: "`preview`", values: taken.preview },
      against: { what: "the empty program's `preview`", values: taken.empty },
      target: atMost(1.3),
    },
  ];
}

async function size(bench: Bench): Promise<Figure[]> {
  const { context, checkout } = bench;
  const image = await imageOf(bench);
  const content = await contentBytes(context, image, checkout.path("artifacts/content"));
  const { size: apparent, blocks } = statSync(image);
  const against = { what: "what `du` says of all its files", values: [content] };
  return [
    {
      what: "(e) the image's size, apparent",
      unit: "MiB",
      here: { what: "the image", values: [apparent] },
      against,
      target: atMost(1.3),
    },
    {
      what: "the same, allocated",
      unit: "MiB",
      here: { what: "the image", values: [blocks * 512] },
      against,
      target: atMost(1.3),
    },
  ];
}

const MEASURE: Record<Part, (bench: Bench, log: StepContext["log"]) => Promise<Figure[]>> = {
  a: changedMac,
  b: assembly,
  c: unchangedPreview,
  // The cold build comes last, since it removes the caches.
  e: size,
  g: compression,
  h: rehearsal,
  i: imagesLayer,
  f: manyStacks,
  d: coldBuild,
};

/** The figures that need both a and d. */
function againstPacker({ a, d }: Partial<Record<Part, Figure[]>>): Figure[] {
  const [here, packer] = [a?.[0]?.here, d?.[0]?.against];
  if (!here || !packer) return [];
  return [
    { what: "a changed MAC, against Packer anew", unit: "s", here, against: packer, target: atLeast(12) },
  ];
}

async function measure(context: StepContext, parts: Part[], runs: number) {
  const log = (line: string) => context.log(line);
  // A killed bench may have left this; only one runs at a time.
  rmSync(join(TOP, "artifacts/bench"), { recursive: true, force: true });
  mkdirSync(join(TOP, "artifacts/cache"), { recursive: true });
  const checkout = new Checkout("bench");
  process.on("exit", () => checkout.remove());
  const env = await environment(checkout);
  process.env.PATH = `${env.PATH}:/usr/sbin:/sbin`;
  const accelerator = await chooseAccelerator(context, "auto");
  const lab = new Stack(context, env, checkout.top, "lab");
  await checkout.stack("lab");
  log("an image to begin with; with a base to be made first, that takes minutes");
  await lab.up();
  const bench = { context, checkout, env, lab, runs, accelerator };
  const figures: Partial<Record<Part, Figure[]>> = {};
  for (const part of Object.keys(MEASURE).filter((name) => parts.includes(name as Part)) as Part[]) {
    log(`(${part})`);
    figures[part] = await MEASURE[part](bench, (line) => log(`(${part}) ${line}`));
  }
  const { a = [], b = [], c = [], d = [], e = [], f = [], g = [], h = [], i = [] } = figures;
  const all = [...a, ...againstPacker(figures), ...b, ...c, ...d, ...e, ...f, ...g, ...h, ...i];
  const machine = [
    `${availableParallelism()} cores`,
    `${Math.round(totalmem() / (1 << 30))} GiB`,
    accelerator === "tcg" ? "guests under software emulation" : `guests with ${accelerator}`,
  ];
  const when = `Measured on ${new Date().toISOString().slice(0, 10)} with ${machine.join(", ")}; medians, in parentheses the least and the most of ${runs} runs that took turns:`;
  return `${when}\n\n${table(all)}`;
}

async function intoFigures(text: string): Promise<void> {
  const path = join(TOP, "docs", "figures.md");
  const options = { ...(await prettier.resolveConfig(path)), filepath: path };
  writeFileSync(path, await prettier.format(insert(readFileSync(path, "utf8"), text), options));
}

void runProgram("bench", async (context) => {
  const { parts, runs, write } = readCommandLine(BENCH).values;
  const text = await measure(context, parts.split(",") as Part[], Number(runs));
  if (write) await intoFigures(text);
  process.stdout.write(`${text}\n`);
  return undefined;
});
