import { setTimeout as sleep } from "node:timers/promises";
import type { StepContext } from "../../steps/frame/context";
import { StepError } from "../../steps/frame/step-error";

/** What goes by while something is waited for; a test has its own. */
export interface Clock {
  /** Milliseconds since any fixed moment. */
  now(): number;
  pause(milliseconds: number, signal: AbortSignal): Promise<void>;
}

const CLOCK: Clock = {
  now: () => performance.now(),
  pause: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }),
};

const PAUSE_MS = 1_000;

/** What a look shows: that it is there, or in a few words how far it is. */
export type Look<T> = { there: T } | { still: string };

export interface Wait {
  /** What is done, such as `waiting for etcd`. */
  doing: string;
  /** What to do when it does not come, given what was seen last. */
  next: (still: string) => string;
}

/** 4.2 s, 75 s or 6 min 12 s. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Waits for one thing after another, each for as long as a bound says, and says for what. */
export class Waiting {
  private readonly began: number;

  /** @param minutes how long each wait may take; what is there at the first look is never too late */
  constructor(
    private readonly context: Pick<StepContext, "signal" | "log">,
    private readonly minutes: number,
    private readonly clock = CLOCK,
  ) {
    this.began = clock.now();
  }

  /** Seconds since the first wait. */
  seconds(): number {
    return (this.clock.now() - this.began) / 1000;
  }

  /**
   * Looks again and again until something is there.
   *
   * @param done what to say then; the time that it took follows
   * @throws StepError when it does not come in time, with what was seen last
   */
  async for<T>({ doing, next }: Wait, look: () => Promise<Look<T>>, done: (there: T) => string): Promise<T> {
    const { context, clock } = this;
    const started = clock.now();
    const seconds = () => (clock.now() - started) / 1000;
    context.log(doing);
    for (let last = ""; ;) {
      const seen = await look();
      context.signal.throwIfAborted();
      if ("there" in seen) {
        context.log(`${done(seen.there)}, after ${duration(seconds())}`);
        return seen.there;
      }
      if (seconds() >= this.minutes * 60)
        throw new StepError(
          doing,
          `not there after ${duration(seconds())} (--timeout ${this.minutes}): ${seen.still}`,
          next(seen.still),
        );
      if (seen.still !== last) context.log(`${doing}: ${seen.still}`);
      last = seen.still;
      await clock.pause(PAUSE_MS, context.signal);
    }
  }
}
