/** What became of one stack. */
export interface Outcome {
  stack: string;
  state: "done" | "unchanged" | "failed" | "stopped";
  seconds: number;
  /** In a few words: the image, or what a preview would change. */
  result?: string;
  /** One line; the whole is in the log. */
  fault?: string;
  /** Path of all that Pulumi said of this stack. */
  log: string;
}

/** Pulumi's words around a step's own: they name a command that nobody typed. */
const AROUND = /^(error: )?(exit status \d+: running |update failed|preview failed|resource .* failed)/;

/** How an error of a stack's config begins, and how it ends; a fault a line is between (stack/config.ts). */
const CONFIG = { begin: /The config of the stack .* has .*:$/, end: /^Set a key with: / };

/** What of an error's words tells a person what is wrong, in one line; where nothing does, their last line. */
export function tellingLine(words: string): string {
  const lines = words
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const begin = lines.findIndex((line) => CONFIG.begin.test(line));
  const end = lines.findIndex((line) => CONFIG.end.test(line));
  if (begin >= 0 && end > begin + 1) return lines.slice(begin + 1, end).join("; ");
  return lines.filter((line) => !AROUND.test(line)).at(-1) ?? lines.at(-1) ?? "it said nothing";
}

const inSeconds = (seconds: number) => `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;

/** One line a stack, then one for all; times are wall-clock. */
export function report(command: string, outcomes: Outcome[], seconds: number): string {
  const width = Math.max(...outcomes.map(({ stack }) => stack.length));
  const lines = outcomes.map(({ stack, state, seconds, result, fault, log }) => {
    const told = state === "failed" ? `${fault} (${log})` : (result ?? "");
    return `${stack.padEnd(width)}  ${state.padEnd(9)}  ${inSeconds(seconds).padStart(6)}  ${told}`.trimEnd();
  });
  const count = (state: Outcome["state"]) => outcomes.filter((outcome) => outcome.state === state).length;
  const parts = (["done", "unchanged", "failed", "stopped"] as const)
    .filter((state) => count(state) > 0)
    .map((state) => `${count(state)} ${state}`);
  const stacks = outcomes.length === 1 ? "1 stack" : `${outcomes.length} stacks`;
  return [...lines, `${command}, ${stacks}: ${parts.join(", ")}, in ${inSeconds(seconds)}`].join("\n");
}
