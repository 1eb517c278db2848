import { setTimeout as pause } from "node:timers/promises";
import { failureOf, run, type RunOptions } from "../programs/process";
import { transferLimits, type Fault } from "../store/transfer.cjs";
import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";
import { skopeoFault } from "./skopeo-words";

/** What failed for good. */
export class RegistryFault extends Error {
  /** Where skopeo asked, in that order, where it was told to say so. */
  places: readonly string[] = [];

  constructor(
    readonly fault: Fault,
    cause: unknown,
  ) {
    super(fault.words, { cause });
  }
}

/** The limits of transfers, in seconds. */
export function limits() {
  try {
    return transferLimits();
  } catch (fault) {
    throw new StepError("reading the environment", (fault as Error).message, "Right: 60, or unset it");
  }
}

/** A registry on this machine is spoken to without TLS, as containerd and Docker do. */
const isLoopback = (repository: string) => /^(localhost|127\.\d+\.\d+\.\d+)(:\d+)?\//.test(repository);
/** skopeo's flags for what it reads from. */
export const sourceFlags = (repository: string, flag: "--tls-verify" | "--src-tls-verify") =>
  isLoopback(repository) ? [`${flag}=false`] : [];

/** Ends a run that brings nothing for too long, which skopeo itself would wait for without end. */
function stallGuard(signal: AbortSignal, done: () => number, seconds: number) {
  const stop = new AbortController();
  let [last, since] = [done(), Date.now()];
  const timer = setInterval(() => {
    const now = done();
    if (now !== last) [last, since] = [now, Date.now()];
    else if (Date.now() - since > seconds * 1000) stop.abort(new Error("stalled"));
  }, 500);
  return {
    signal: AbortSignal.any([signal, stop.signal]),
    isStalled: () => stop.signal.aborted,
    end: () => clearInterval(timer),
  };
}

interface Watched extends RunOptions {
  /** Bytes that came so far: while they grow, it is not stalled. */
  done?: () => number;
}

async function once(context: StepContext, args: string[], { done = () => 0, ...options }: Watched) {
  const { stall } = limits();
  const guard = stallGuard(context.signal, done, stall);
  try {
    return await run({ signal: guard.signal }, "skopeo", args, options);
  } catch (thrown) {
    context.signal.throwIfAborted();
    if (!guard.isStalled()) throw thrown;
    throw Object.assign(new Error("stalled"), {
      cause: { exitCode: 1, stderr: `nothing came for ${stall} s, it stalled` },
    });
  } finally {
    guard.end();
  }
}

/**
 * Runs skopeo, as often as its reason to fail makes worth it.
 *
 * @param what is told before a further try
 * @param helped called before each further try; whether the tries are to be counted anew
 * @throws RegistryFault
 */
export async function skopeo(
  context: StepContext,
  args: string[],
  what: string,
  options: Watched = {},
  helped: () => Promise<boolean> = () => Promise.resolve(false),
) {
  const { retry } = limits();
  for (let tries = 1; ; tries++) {
    try {
      return await once(context, args, options);
    } catch (thrown) {
      context.signal.throwIfAborted();
      const { exitCode, stderr } = failureOf(thrown);
      if (exitCode === undefined) throw thrown;
      const fault = skopeoFault(String(stderr));
      if (await helped()) tries = 0;
      if (tries >= fault.tries) throw new RegistryFault(fault, thrown);
      context.log(`${what}: ${fault.words}; trying again in ${retry} s`);
      await pause(retry * 1000, undefined, { signal: context.signal });
    }
  }
}
