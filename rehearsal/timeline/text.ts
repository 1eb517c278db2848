import type { RehearsalRecord } from "../record";
import { cut, cutFront, factsOf, oneLine, seconds, stepsOf, summaryOf, wrap } from "./words";

const COLUMNS = 110;
/** The longest title of a milestone fits. */
const TITLE = 49;

const column = (text: string, width: number) => cut(text, width).padEnd(width);

/** A label and a text beside it, as many lines as it takes. */
function labelled(label: string, text: string, indent: number): string[] {
  return wrap(oneLine(text), COLUMNS - indent).map(
    (line, index) => `${(index === 0 ? label : "").padEnd(indent)}${line}`,
  );
}

function chain(record: RehearsalRecord): string[] {
  const rows = stepsOf(record).map(({ atMs, tookMs, title, evidence }) => {
    const times = `${seconds(atMs).padStart(6)} ${seconds(tookMs).padStart(6)}`;
    return `${times}  ${column(title, TITLE)}  ${cut(evidence, COLUMNS - TITLE - 17)}`;
  });
  return [`  at s   took  ${column("milestone", TITLE)}  what shows it`, ...rows];
}

function mustNots({ proofs }: RehearsalRecord): string[] {
  if (proofs.length === 0) return ["The proofs of what must not happen were not asked for."];
  const rows = proofs.flatMap(({ held, title, evidence }) => [
    `${held ? "  held    " : "  NOT held"}  ${cut(oneLine(title), COLUMNS - 12)}`,
    `${" ".repeat(12)}${cut(oneLine(evidence), COLUMNS - 12)}`,
  ]);
  return ["What must not happen", ...rows];
}

function whatBroke({ diagnosis, tookMs }: RehearsalRecord): string[][] {
  if (!diagnosis) return [];
  const { title, seen, look } = diagnosis;
  const broke = labelled("broke at", `${title}, ${seconds(tookMs)} s after power-on`, 10);
  return [[...broke, ...labelled("seen", `${seen}.`, 10), ...labelled("look", `${look}.`, 10)]];
}

/** What a rehearsal saw, for a terminal: plain, at most 110 columns but for single words that are longer. */
export function timelineText(record: RehearsalRecord): string {
  const facts = factsOf(record).map(
    ([label, value]) => `  ${label.padEnd(13)}${cutFront(value, COLUMNS - 15)}`,
  );
  const blocks = [
    [`${record.passed ? "rehearsed" : "FAILED"}: ${summaryOf(record)}.`, ...facts],
    chain(record),
    mustNots(record),
    ...whatBroke(record),
  ];
  return `${blocks.map((lines) => lines.map((line) => line.trimEnd()).join("\n")).join("\n\n")}\n`;
}
