import { once } from "node:events";
import { createInterface } from "node:readline";
import execa, { type ExecaChildProcess, type ExecaReturnValue, type Options } from "execa";
import { environmentFor } from "./environment";
import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";

/** How a program is run. */
export interface RunOptions extends Options {
  /** Is given each line that the program prints, on stdout or stderr, while it runs. */
  onLine?: (line: string) => void;
}

/**
 * Starts a program, which gets the secrets of the environment only where it needs them. Every program of a step starts here or
 * by `environmentFor`.
 */
export function start(program: string, args: readonly string[], options: Options = {}): ExecaChildProcess {
  const env = { ...environmentFor(program), ...options.env };
  return judgedByStatus(execa(program, args, { ...options, env, extendEnv: false }));
}

/** Has a program judged by its status alone when it ends without reading all its input, where execa 5 takes the broken pipe for its failure. */
export function judgedByStatus<T extends ExecaChildProcess<string | Buffer>>(child: T): T {
  child.stdin?.removeAllListeners("error").on("error", () => undefined);
  return child;
}

/**
 * Runs a program to its end and returns what it printed. It dies with the step, even when the step is
 * killed outright (prctl(2), PR_SET_PDEATHSIG), so an interrupted `up` leaves no orphan.
 *
 * @throws StepError naming the program and its last words; its cause has the exit status and all that was said
 */
export async function run(
  context: Pick<StepContext, "signal">,
  program: string,
  args: string[],
  { onLine, ...options }: RunOptions = {},
): Promise<ExecaReturnValue> {
  const stdin = options.input === undefined ? "ignore" : "pipe";
  // execa hands `signal` to child_process.spawn, which its types do not say.
  const all: Options & { signal: AbortSignal } = {
    stdin,
    maxBuffer: 1 << 30,
    // Of bytes, the last one may happen to be a line's end.
    stripFinalNewline: options.encoding !== null,
    ...options,
    env: { ...environmentFor(program), ...options.env },
    signal: context.signal,
  };
  const child = start("setpriv", ["--pdeathsig", "KILL", "--", program, ...args], all);
  for (const input of onLine ? [child.stdout, child.stderr] : [])
    if (onLine && input) createInterface({ input }).on("line", onLine);
  try {
    return await child;
  } catch (fault) {
    context.signal.throwIfAborted();
    const failed = fault as Partial<ExecaReturnValue> & Error;
    const words = String(failed.stderr || failed.stdout || "")
      .trim()
      .split("\n")
      .slice(-4)
      .join(" | ");
    const doing = `running ${program} ${args[0] ?? ""}`.trim();
    if (/failed to execute .*No such file/.test(words)) {
      throw new StepError(
        `running ${program}`,
        "the program is not on this machine",
        "npm run setup brings it",
      );
    }
    throw new StepError(
      doing,
      words || (failed.signal ? `${failed.signal} ended it` : `it ended with status ${failed.exitCode}`),
      "BOOTSTRAP_PXE_DEBUG=1 shows where",
      { cause: failed },
    );
  }
}

/** What a program that failed had said and ended with, out of what {@link run} threw. */
export function failureOf(fault: unknown): { exitCode?: number; stderr: string } {
  const { exitCode, stderr = "" } = ((fault as Error).cause ?? {}) as Partial<ExecaReturnValue>;
  return { exitCode, stderr };
}

/**
 * What to make of a program's failure, as a handler for {@link run}. What the program itself had no part in, such as that
 * it is not on this machine, goes on as it is.
 */
export function saidBy<T>(handle: (failure: { stderr: string }) => T): (fault: unknown) => T {
  return (fault) => {
    const failure = failureOf(fault);
    if (failure.exitCode === undefined) throw fault;
    return handle(failure);
  };
}

/**
 * Does a piece of work while nobody else does theirs who asks for the same lock, in this process or another.
 *
 * @param lock a file or a folder that is there, as for flock(1)
 */
export async function whileLocked<T>(
  { signal }: Pick<StepContext, "signal">,
  lock: string,
  work: () => Promise<T>,
): Promise<T> {
  // The holder ends with its stdin, so with this process too.
  const options: Options & { signal: AbortSignal } = { signal };
  const holder = start("flock", [lock, "sh", "-c", "echo mine; exec cat"], options);
  const refuse = (fault: Error & Partial<ExecaReturnValue>) => {
    signal.throwIfAborted();
    const found = String(fault.stderr ?? "").trim() || (fault.message.split("\n")[0] ?? "");
    throw new StepError(`locking ${lock}`, found, "See that it is there, and that this user may write it");
  };
  await Promise.race([once(holder.stdout as NodeJS.ReadableStream, "data"), holder]).catch(refuse);
  try {
    return await work();
  } finally {
    holder.stdin?.end();
    await holder;
  }
}
