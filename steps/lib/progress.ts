import type { StepContext } from "./step";

const MIB = 1 << 20;

/**
 * Logs how far long work is, at most once a second and only when it moved: `WHAT: 120 of 718 MiB, 16 %`.
 *
 * @param done bytes so far; nothing is said while there are none
 * @param total bytes in the end; unset, only those so far are told
 * @returns ends it
 */
export function reportProgress(
  context: Pick<StepContext, "log">,
  what: string,
  done: () => number,
  total?: number,
): () => void {
  let last = 0;
  const timer = setInterval(() => {
    const now = done();
    if (now === last || now === 0) return;
    last = now;
    const of = total ? ` of ${Math.round(total / MIB)} MiB, ${Math.floor((100 * now) / total)} %` : " MiB";
    context.log(`${what}: ${Math.round(now / MIB)}${of}`);
  }, 1000);
  return () => clearInterval(timer);
}
