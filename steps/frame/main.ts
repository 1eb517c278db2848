import { rmSync } from "node:fs";
import { text } from "node:stream/consumers";
import type * as z from "zod";
import type { StepContext } from "./context";
import { generation, remember } from "./last-run";
import { parentOf } from "./processes.cjs";
import { withHeartbeat } from "./progress";
import { explainFull, writesTo } from "./room";
import { makeScratch } from "./scratch.cjs";
import { StepError } from "./step-error";
import { systemFault } from "./system-fault.cjs";

/** A fault of the file system in words; any other as it is. */
function inWords(fault: Error): Error {
  const judged = process.env.BOOTSTRAP_PXE_DEBUG ? undefined : systemFault(fault);
  return judged ? new StepError(judged.doing, judged.found, judged.next, { cause: fault }) : fault;
}

/**
 * Runs a program that prints one JSON manifest on stdout, if it has one, and logs on stderr. A fault ends it with status 1 and
 * one line (with BOOTSTRAP_PXE_DEBUG set, the stack trace too); a signal ends it with 128 + its number, the
 * scratch folder gone.
 *
 * @param named whether its lines begin with its name; a fault's always does
 * @param asks whether it asks a person, who may take their time
 */
export async function runProgram(
  name: string,
  body: (context: StepContext) => Promise<object | undefined>,
  { named = true, asks = false } = {},
): Promise<void> {
  process.umask(0o022);
  const stop = new AbortController();
  const scratch = makeScratch(name);
  writesTo(scratch);
  process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
  for (const [signal, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
    ["SIGHUP", 1],
  ] as const) {
    // Not once: signal-exit, which execa brings, ends the process when it finds itself the last listener.
    process.on(signal, () => {
      process.exitCode = 128 + number;
      stop.abort(new Error(`stopped by ${signal}. Run the same command again to go on from here`));
    });
  }
  // prctl's death signal would be tied to a thread of the plugin, and Go ends threads as it likes.
  const parent = Number(process.env.BOOTSTRAP_PXE_PARENT ?? process.ppid);
  // A plugin may outlive its engine for minutes.
  const engine = parentOf(parent);
  setInterval(() => {
    if (process.ppid !== parent || parentOf(parent) !== engine)
      stop.abort(new Error("what started it is gone. Run pulumi up again to go on from here"));
  }, 500).unref();
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const { log, end } = withHeartbeat((line) => say(named ? `${name}: ${line}` : line), "at work");
  if (asks) end();
  try {
    const manifest = await body({ signal: stop.signal, scratch, log });
    if (manifest) process.stdout.write(`${JSON.stringify(manifest)}\n`);
  } catch (fault) {
    const shown = stop.signal.aborted
      ? (stop.signal.reason as Error)
      : inWords(await explainFull(fault as Error));
    const isExpected =
      (stop.signal.aborted || shown instanceof StepError) && !process.env.BOOTSTRAP_PXE_DEBUG;
    say(`${name}: ${isExpected ? shown.message : (shown.stack ?? shown.message)}`);
    process.exitCode ||= 1;
  } finally {
    end();
  }
}

/**
 * Runs one step: its input is JSON on stdin, checked against its contract, as is the manifest that it prints; the rest as
 * {@link runProgram}. Pulumi names the step beside its lines, so these do not. What it was given is remembered in the file that
 * the environment's LAST_RUN names, if any.
 */
export async function runStep<I extends z.ZodType, M extends z.ZodType<object, object>>(
  name: string,
  { Input, Manifest }: { Input: I; Manifest: M },
  body: (input: z.output<I>, context: StepContext) => Promise<z.input<M>>,
): Promise<void> {
  const program = async (context: StepContext) => {
    // What was made is made, also where nobody can write that down.
    const forgotten = (fault: Error) => context.log(`what it took is not remembered: ${fault.message}`);
    const raw = JSON.parse(await text(process.stdin)) as object;
    const given = Input.safeParse(raw);
    if (!given.success) {
      const faults = given.error.issues.map((issue) => `${issue.path.join(".")} (${issue.message})`);
      throw new StepError(
        `reading the input of the step ${name}`,
        faults.join(", "),
        `See steps/contracts/${name}.ts for its form`,
      );
    }
    const before = generation(raw);
    const manifest = Manifest.parse(await body(given.data, context));
    const foundItMade = before !== undefined && before === generation(raw);
    const { LAST_RUN: lastRun } = process.env;
    if (lastRun) await remember(lastRun, raw, foundItMade ? undefined : process.uptime()).catch(forgotten);
    return manifest;
  };
  await runProgram(name, program, { named: false });
}
