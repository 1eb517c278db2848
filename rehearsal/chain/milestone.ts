import type { Side } from "../record";
import type { MachineName, Seen } from "../network/seen";
import type { Expected, View } from "../view";

export type Sign = { atMs: number; evidence: string };

/** What was seen instead, and where to look. */
export interface Break {
  seen: string;
  look: string;
  /** Whether it is what the appliance answered, which a slow host does not change. */
  isAnswer?: boolean;
}

/** One milestone from a powered-on appliance to a configured mini-PC. */
export interface Milestone {
  id: string;
  title: string;
  side: Side;
  /** Longest wait for it after the milestone before, in seconds, on a slow machine without an accelerator. */
  limitS: number;
  reached: (view: View) => Sign | undefined;
  /** A sure sign that it will not be reached, so that nobody waits for the limit. */
  broken?: (view: View) => Break | undefined;
  /** What to say when the limit passes without a sign. */
  overdue: (view: View) => Break;
  /** The milestones after it may be reached, or break, before it. */
  anyOrder?: boolean;
  /** Not part of every chain. */
  applies?: (expected: Expected) => boolean;
}

/** Questions without an answer that count as a sure sign; a firmware asks again after 4, 8 and 16 s. */
export const ENOUGH = 3;

/** And for at least so long, of the time that the appliance could use: a host that starves it is no fault of the image. */
const UNANSWERED_MS = 1000;

/** Milliseconds from one sight to the next that the machine whose answer is waited for could use. */
export const usable = (from: Seen, to: Seen, by: MachineName = "appliance") => {
  const starved = (what: Seen) => what[`${by}StarvedMs`] ?? 0;
  return Math.max(0, to.atMs - from.atMs - (starved(to) - starved(from)));
};

/** Whether questions of which none was answered are a sure sign. */
export function isSure(questions: Seen[]): boolean {
  const [first, last] = [questions[0], questions.at(-1)];
  return questions.length >= ENOUGH && first && last ? usable(first, last) >= UNANSWERED_MS : false;
}
