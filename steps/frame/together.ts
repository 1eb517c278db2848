import pLimit from "p-limit";
import type { StepContext } from "./context";

/**
 * Does the same work for many things, some at once. The first that fails stops the others, which then say nothing more.
 *
 * @param work is given each thing, and the context that ends with the first fault
 * @returns what came of them, in their order
 * @throws the first fault, once the others have ended
 */
export async function together<T, R>(
  context: StepContext,
  things: readonly T[],
  atOnce: number,
  work: (thing: T, context: StepContext) => Promise<R>,
): Promise<R[]> {
  const stop = new AbortController();
  const within: StepContext = {
    ...context,
    signal: AbortSignal.any([context.signal, stop.signal]),
    log: (line) => void (stop.signal.aborted || context.log(line)),
  };
  const limit = pLimit(atOnce);
  const done: R[] = [];
  const each = things.map((thing, at) =>
    limit(async () => {
      if (within.signal.aborted) return;
      try {
        done[at] = await work(thing, within);
      } catch (fault) {
        // Before the next one begins.
        stop.abort(fault);
      }
    }),
  );
  await Promise.all(each);
  context.signal.throwIfAborted();
  stop.signal.throwIfAborted();
  return done;
}
