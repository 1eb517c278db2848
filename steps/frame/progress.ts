import type { StepContext } from "./context";
import { MIB } from "../../stack/mib";

/**
 * Pulumi's table cuts a line where the terminal ends: on a first `up` 80 columns leave it 2 characters, and 120 leave 42. An
 * update's list of changed inputs stands before it, with up to 28 characters: then 80 columns leave it none, which
 * `npm run pulumi` says. So what varies comes first, as short as it can be.
 */
export const SHOWN_FIRST = 2;

/** How long a line may stay as it is. */
const BEAT_MS = 10_000;
/** How often a figure is looked at. */
const LOOK_MS = 2_000;

/** How much is done: with a total `16 %, 120 of 718 MiB`, else `57 MiB`. */
export function figure(done: number, total?: number): string {
  const mib = Math.round(done / MIB);
  return total
    ? `${Math.floor((100 * done) / total)} %, ${mib} of ${Math.round(total / MIB)} MiB`
    : `${mib} MiB`;
}

/** What a line begins with that shows how far work is: `2/13`, `16 %`, `57 MiB`. */
const LEADING_FIGURE = /^\d+(\/\d+| %| MiB)(?=\W)/;

/** For how long a line has stayed as it is: `20 s: LINE`. A figure that it begins with stays first: `2/13, 20 s: …`. */
export function stillAt(seconds: number, line: string): string {
  const [figure] = LEADING_FIGURE.exec(line) ?? [];
  return figure
    ? `${figure}, ${seconds} s: ${line.slice(figure.length).replace(/^\W+/, "")}`
    : `${seconds} s: ${line}`;
}

/**
 * Passes lines on. While none comes, the last one is said again every ten seconds, with the time since then, so that a
 * person sees that work goes on.
 *
 * @param first what is said again before there is any line
 */
export function withHeartbeat(
  write: (line: string) => void,
  first: string,
): { log: (line: string) => void; end: () => void } {
  let last = first;
  let beats = 0;
  const beat = () => write(stillAt((++beats * BEAT_MS) / 1000, last));
  const timer = setInterval(beat, BEAT_MS);
  timer.unref();
  return {
    log(line) {
      last = line;
      beats = 0;
      timer.refresh();
      write(line);
    },
    end: () => clearInterval(timer),
  };
}

/**
 * Looks at long work every few seconds and logs what there is to say of it, when that is new.
 *
 * @returns ends it
 */
export function follow(context: Pick<StepContext, "log">, look: () => string | undefined): () => void {
  let last: string | undefined;
  const timer = setInterval(() => {
    const now = look();
    if (now === undefined || now === last) return;
    last = now;
    context.log(now);
  }, LOOK_MS);
  return () => clearInterval(timer);
}

/**
 * Logs how far long work is, the figure first: `16 %, 120 of 718 MiB of WHAT`.
 *
 * @param what in words that go on from the figure
 * @param done bytes so far; nothing is said while there are none
 * @param total bytes in the end; unset, only those so far are shown
 * @returns ends it
 */
export function reportProgress(
  context: Pick<StepContext, "log">,
  what: string,
  done: () => number,
  total?: number,
): () => void {
  return follow(context, () => {
    const now = done();
    return now === 0 ? undefined : `${figure(now, total)} ${what}`;
  });
}
