import { once } from "node:events";
import { createWriteStream, existsSync, mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { LocalWorkspace, type EngineEvent, type Stack } from "@pulumi/pulumi/automation";
import pLimit from "p-limit";
import { clustersApart } from "../steps/talos/clusters";
import { readStackFile, sharedByStacks, sharedImage, stackFiles } from "../stack/stack-files";
import { run } from "../steps/programs/process";
import type { StepContext } from "../steps/frame/context";
import { runProgram } from "../steps/frame/main";
import { StepError } from "../steps/frame/step-error";
import { readCommandLine } from "./command-line.cjs";
import { FLEET, FLEET_COMMANDS } from "./commands.cjs";
import { report, tellingLine, type Outcome } from "./fleet-report";

type Command = (typeof FLEET_COMMANDS)[number];

const fileOf = (stack: string) => `Pulumi.${stack}.yaml`;

/** What the command line asks for. */
async function readArguments() {
  const { values, positionals } = readCommandLine(FLEET);
  const [command, ...named] = positionals;
  return {
    command: command as Command,
    stacks: values.all ? await everyStack() : named,
    atOnce: Number(values["at-once"] ?? Math.max(2, availableParallelism())),
    json: values.json,
  };
}

/** Every stack that the backend knows of this project, but the demo. */
async function everyStack(): Promise<string[]> {
  const workspace = await LocalWorkspace.create({ workDir: process.cwd() });
  const names = (await workspace.listStacks()).map(({ name }) => name);
  return names.filter((name) => name !== "demo").sort();
}

/** @throws StepError on what would end badly for more than one stack, before any is touched */
function check(stacks: string[]): void {
  const doing = "looking at the stacks";
  const twice = stacks.find((stack, index) => stacks.indexOf(stack) !== index);
  if (twice) throw new StepError(doing, `${twice} is named twice`, "Name it once");
  const unknown = stacks.filter((stack) => !existsSync(fileOf(stack)));
  if (unknown.length > 0) {
    throw new StepError(
      doing,
      `there is no ${unknown.map(fileOf).join(", ")}`,
      `npm run new -- ${unknown[0]} makes it`,
    );
  }
  const files = stacks.map((stack) => readStackFile(process.cwd(), stack));
  const shared = sharedImage(files);
  if (shared) {
    const [first, second] = shared.stacks;
    throw new StepError(
      doing,
      `${first} and ${second} would both make ${shared.image}`,
      `npm run pulumi -- config set artifactName ${second} --stack ${second}`,
    );
  }
}

/** What these stacks share with each other, and with others of the checkout. */
function sharedWith(stacks: string[]): string[] {
  const all = stackFiles(process.cwd());
  return [
    ...new Set(
      stacks.flatMap((stack) => [...sharedByStacks(all, stack), ...clustersApart(stack, process.cwd())]),
    ),
  ];
}

/** The step that an event says has begun. */
function begun({ resourcePreEvent }: EngineEvent): string | undefined {
  const { op, type, urn } = resourcePreEvent?.metadata ?? {};
  if (op === "same" || type !== "command:local:Command") return undefined;
  return `${urn?.split("::").at(-1)} ${op === "delete" ? "goes" : "runs"}`;
}

async function perform(command: Command, stack: Stack, options: Parameters<Stack["up"]>[0] & object) {
  if (command === "preview") {
    const { changeSummary } = await stack.preview(options);
    const changes = Object.entries(changeSummary).filter(([op]) => op !== "same");
    return {
      changed: changes.length > 0,
      result: changes.map(([op, count]) => `${count} to ${op}`).join(", "),
    };
  }
  if (command === "destroy") {
    const { summary } = await stack.destroy(options);
    return { changed: Object.keys(summary.resourceChanges ?? {}).length > 0, result: "" };
  }
  const { summary, outputs } = await stack.up(options);
  const changes = Object.keys(summary.resourceChanges ?? {}).filter((op) => op !== "same");
  return { changed: changes.length > 0, result: String(outputs.imagePath?.value ?? "") };
}

/**
 * Aborted when Pulumi has to be told to stop. A terminal tells it itself, by the Ctrl-C that it sends to the whole group,
 * and Pulumi takes a second one for "stop at once".
 */
function stopOfPulumi(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => (process.stdin.isTTY && signal === "SIGINT") || stop.abort());
  return stop.signal;
}

async function runStack(
  command: Command,
  name: string,
  context: StepContext,
  stop: AbortSignal,
): Promise<Outcome> {
  const started = performance.now();
  const log = `artifacts/fleet/${name}.log`;
  let errors = "";
  const outcome = (rest: Omit<Outcome, "stack" | "seconds" | "log">): Outcome => {
    context.log(`${name}: ${rest.state}`);
    return { stack: name, seconds: (performance.now() - started) / 1000, log, ...rest };
  };
  const onEvent = (event: EngineEvent) => {
    const step = begun(event);
    if (step) context.log(`${name}: ${step}`);
    const { severity, message = "" } = event.diagnosticEvent ?? {};
    if (severity === "error") errors += `${message}\n`;
  };
  if (context.signal.aborted) return outcome({ state: "stopped" });
  mkdirSync(dirname(log), { recursive: true });
  // Steps that print what they decrypt do not exist; still, it is nobody else's.
  const said = createWriteStream(log, { mode: 0o600 });
  try {
    const place = { stackName: name, workDir: process.cwd() };
    const stack = await (command === "up"
      ? LocalWorkspace.createOrSelectStack(place)
      : LocalWorkspace.selectStack(place));
    const onOutput = (text: string) => void said.write(text);
    const { changed, result } = await perform(command, stack, {
      onEvent,
      onOutput,
      color: "never",
      // One for each: the Automation API leaves its listeners where they are.
      signal: AbortSignal.any([stop]),
    });
    return outcome({ state: changed ? "done" : "unchanged", result });
  } catch (fault) {
    said.write(`\n${(fault as Error).message}\n`);
    return outcome(
      context.signal.aborted
        ? { state: "stopped" }
        : { state: "failed", fault: tellingLine(errors || (fault as Error).message) },
    );
  } finally {
    said.end();
    await once(said, "close");
  }
}

/** The stack that a person works with; the Automation API selects whatever it touches. */
async function keepingSelection<T>(context: StepContext, work: () => Promise<T>): Promise<T> {
  const selected = await run(context, "pulumi", ["stack", "--show-name"]).catch(() => undefined);
  try {
    return await work();
  } finally {
    // After a signal too.
    const unaborted = { ...context, signal: new AbortController().signal };
    if (selected)
      await run(unaborted, "pulumi", ["stack", "select", selected.stdout.trim()]).catch(() => undefined);
  }
}

void runProgram("fleet", async (context) => {
  const { command, stacks, atOnce, json } = await readArguments();
  if (stacks.length === 0)
    throw new StepError(
      "looking at the stacks",
      "there is none",
      "npm run pulumi -- stack init NAME makes one",
    );
  check(stacks);
  // `up` and `preview` tell each stack's own in its log alone.
  if (command !== "destroy") for (const line of sharedWith(stacks)) context.log(`warning: ${line}`);
  const started = performance.now();
  const limit = pLimit(atOnce);
  const stop = stopOfPulumi();
  const runs = () => stacks.map((name) => limit(() => runStack(command, name, context, stop)));
  const outcomes = await keepingSelection(context, () => Promise.all(runs()));
  process.stderr.write(`${report(command, outcomes, (performance.now() - started) / 1000)}\n`);
  if (outcomes.some(({ state }) => state === "failed")) process.exitCode = 1;
  context.signal.throwIfAborted();
  const results = outcomes.map(({ stack, state, result, fault }) => ({ stack, state, result, fault }));
  return json ? { stacks: results } : undefined;
});
