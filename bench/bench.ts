// npm run bench: held against what the same machine does anyway, so that the figures mean the same everywhere.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import execa from "execa";
import * as prettier from "prettier";
import { chooseAccelerator, type Accelerator } from "../steps/lib/accelerator";
import { sha256File } from "../steps/lib/files";
import { run } from "../steps/lib/process";
import { writeSiteLayer, type SiteSources } from "../steps/lib/site-layer";
import { runProgram, type StepContext } from "../steps/lib/step";
import { StepError } from "../steps/lib/step-error";
import { BASE_IMAGE } from "../demo/base/make";
import { Checkout } from "../tools/checkout";
import { TOP } from "../tools/setup/context.cjs";
import { contentBytes } from "./content";
import { EmptyProgram, environment, Stack } from "./pulumi";
import { inTurn, seconds } from "./runs";
import { insert, isKept, table, type Figure } from "./table";

const PARTS = ["a", "b", "c", "d", "e", "f", "g"] as const;
type Part = (typeof PARTS)[number];

const USAGE = `npm run bench -- [OPTION…]
  --only a,c   of: a a changed MAC, b the assembly, c preview, d a cold build, e the image's size, f 30 stacks,
               g compression
  --runs N     of each side of a, b and c; 5 unless told
  --write      put the table into README.md`;

/** @throws StepError with the usage */
function readArguments(): { parts: Part[]; runs: number; write: boolean } {
  const misused = (found: string) => new StepError("reading the command line", found, `Right:\n${USAGE}`);
  let values;
  try {
    const options = {
      only: { type: "string", default: PARTS.join() },
      runs: { type: "string", default: "5" },
      write: { type: "boolean", default: false },
    } as const;
    ({ values } = parseArgs({ options }));
  } catch (fault) {
    throw misused((fault as Error).message);
  }
  const parts = values.only.split(",") as Part[];
  const unknown = parts.filter((part) => !PARTS.includes(part));
  if (unknown.length > 0) throw misused(`no part ${unknown.join(", ")}`);
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1 || runs > 99) throw misused(`--runs ${values.runs}`);
  return { parts, runs, write: values.write };
}

/** What all parts work with. */
interface Bench {
  context: StepContext;
  checkout: Checkout;
  env: NodeJS.ProcessEnv;
  lab: Stack;
  runs: number;
  accelerator: Accelerator;
}

const atMost = (value: number) => ({ kind: "at most", value }) as const;
const atLeast = (value: number) => ({ kind: "at least", value }) as const;

/** The image that `lab` names. */
async function imageOf({ checkout, lab }: Bench): Promise<string> {
  return checkout.path((await lab.pulumi("stack", "output", "imagePath")).trim());
}

const newMac = (run: number) => `52:54:00:be:00:${run.toString(16).padStart(2, "0")}`;

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

/** What the stack gave to a step. */
async function inputOf<T extends object>({ lab }: Bench, step: string): Promise<T> {
  const { deployment } = JSON.parse(await lab.pulumi("stack", "export")) as {
    deployment: { resources: { urn: string; inputs?: { stdin?: string } }[] };
  };
  const found = deployment.resources.find(({ urn }) => urn.endsWith(`::${step}`));
  return JSON.parse(found?.inputs?.stdin ?? "null") as T;
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
    execa(checkout.path("steps/run"), ["appliance"], {
      cwd: checkout.top,
      env: { ...env, CONSOLE_HASH: consoleHash },
      input: JSON.stringify({ ...input, key: `bench-${run}`, path: made, stack: "bench" }),
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

/** Paths of a step's input count from the checkout's top. */
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

/** Packer and nothing else, from the same source, with the same accelerator. */
async function barePacker({ context, checkout, env, accelerator }: Bench): Promise<void> {
  const [source, key] = [checkout.path("artifacts/demo", BASE_IMAGE), join(context.scratch, "key")];
  await run(context, "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const variables = {
    source_path: source,
    source_sha256: await sha256File(source),
    output_directory: checkout.path("artifacts/bare-packer"),
    ssh_private_key_file: key,
    ssh_public_key: readFileSync(`${key}.pub`, "utf8").trim(),
    accelerator,
    offline: "true",
  };
  const flags = Object.entries(variables).map(([name, value]) => `-var=${name}=${value}`);
  await run(context, "packer", ["build", "-only=qemu.cloud-image", ...flags, "packer/bootstrap.pkr.hcl"], {
    cwd: checkout.top,
    env: { ...env, CHECKPOINT_DISABLE: "1", PACKER_CACHE_DIR: checkout.path("artifacts/packer-cache") },
  });
}

async function coldBuild(bench: Bench, log: StepContext["log"]): Promise<Figure[]> {
  const { context, checkout, env } = bench;
  const cold = new Stack(context, env, checkout.top, "cold");
  await checkout.stack("cold", { artifactName: "cold" });
  const packer = await seconds({ measured: () => barePacker(bench) }, 0);
  rmSync(checkout.path("artifacts/bare-packer"), { recursive: true });
  log(`packer build ${packer.toFixed(1)} s`);
  for (const made of ["cache", "talos"]) rmSync(checkout.path("artifacts", made), { recursive: true });
  const up = await seconds({ measured: () => cold.up() }, 0);
  log(`up from nothing ${up.toFixed(1)} s`);
  return [
    {
      what: "(d) a cold build, from command to image",
      unit: "s",
      here: { what: "`up` with nothing made, rehearsal off", values: [up] },
      against: { what: "`packer build` of the same base", values: [packer] },
      target: atMost(1.15),
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
    const { exitCode, all } = await checkout.script("tools/fleet.mjs", args);
    if (exitCode !== 0) throw new Error(all);
  };
  const before = await diskUse(bench, checkout.path("artifacts"));
  const taken = await seconds({ measured: () => command("up", ...names) }, 0);
  const bytes = (await diskUse(bench, checkout.path("artifacts"))) - before;
  await command("destroy", ...names, "--yes");
  return { seconds: taken, bytes };
}

/** A third of the stacks takes a third of the time and of the disk, since layers are made once for all. */
async function manyStacks(bench: Bench, log: StepContext["log"]): Promise<Figure[]> {
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

/** Each format, cold and after a changed MAC, against what a person would type. */
async function compression(bench: Bench, log: StepContext["log"]): Promise<Figure[]> {
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
      execa(checkout.path("steps/run"), ["compress"], {
        cwd: checkout.top,
        env,
        input: JSON.stringify({ ...given, ...input, cache, path: made, stack: "bench", key: `bench-${run}` }),
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

const MEASURE: Record<Part, (bench: Bench, log: StepContext["log"]) => Promise<Figure[]>> = {
  a: changedMac,
  b: assembly,
  c: unchangedPreview,
  // The cold build takes the caches away: last.
  e: size,
  g: compression,
  f: manyStacks,
  d: coldBuild,
};

/** What both a and d were needed for. */
function againstPacker({ a, d }: Partial<Record<Part, Figure[]>>): Figure[] {
  const [here, packer] = [a?.[0]?.here, d?.[0]?.against];
  if (!here || !packer) return [];
  return [
    { what: "a changed MAC, against Packer anew", unit: "s", here, against: packer, target: atLeast(12) },
  ];
}

async function measure(context: StepContext, parts: Part[], runs: number) {
  const log = (line: string) => context.log(line);
  // What a killed bench left; one runs at a time.
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
  const { a = [], b = [], c = [], d = [], e = [], f = [], g = [] } = figures;
  const all = [...a, ...againstPacker(figures), ...b, ...c, ...d, ...e, ...f, ...g];
  const machine = [
    `${availableParallelism()} cores`,
    `${Math.round(totalmem() / (1 << 30))} GiB`,
    accelerator === "tcg" ? "guests under software emulation" : `guests with ${accelerator}`,
  ];
  const when = `Measured on ${new Date().toISOString().slice(0, 10)} with ${machine.join(", ")}; medians, in parentheses the least and the most of ${runs} runs that took turns:`;
  return { text: `${when}\n\n${table(all)}`, missed: all.filter((figure) => !isKept(figure)).length };
}

async function intoReadme(text: string): Promise<void> {
  const path = join(TOP, "README.md");
  const options = { ...(await prettier.resolveConfig(path)), filepath: path };
  writeFileSync(path, await prettier.format(insert(readFileSync(path, "utf8"), text), options));
}

void runProgram("bench", async (context) => {
  const { parts, runs, write } = readArguments();
  const { text, missed } = await measure(context, parts, runs);
  if (write) await intoReadme(text);
  process.stdout.write(`${text}\n`);
  return { missed };
});
