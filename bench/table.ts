import { MIB } from "../stack/mib";

/** One side of a ratio: what it does, and what each of its runs took. */
export interface Side {
  /** In a few words. */
  what: string;
  /** Seconds or bytes, one a run, in the order of the runs. */
  values: number[];
}

/** A figure that is compared with a target. */
export interface Figure {
  what: string;
  unit: "s" | "MiB";
  here: Side;
  /** Unset, `here` itself is compared with the target, in the figure's unit. */
  against?: Side;
  /** `at least` counts how many times less `here` takes. */
  target: { kind: "at most" | "at least"; value: number };
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  if (low === undefined || high === undefined) throw new Error("no run was measured");
  return (low + high) / 2;
}

const PER_UNIT = { s: 1, MiB: MIB };

/** A number with three significant digits. */
const number = (value: number) =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);

function withSpread(values: number[]): string {
  const [least, most] = [number(Math.min(...values)), number(Math.max(...values))];
  return least === most ? number(median(values)) : `${number(median(values))} (${least} to ${most})`;
}

/** What is compared with the target: the ratio of the medians, and that of each pair of runs. */
export function ratio({ here, against, target, unit }: Figure): { value: number; pairs: number[] } {
  const of = (a: number, b: number) => (target.kind === "at most" ? a / b : b / a);
  if (!against)
    return {
      value: median(here.values) / PER_UNIT[unit],
      pairs: here.values.map((value) => value / PER_UNIT[unit]),
    };
  const pairs = here.values.flatMap((value, run) => {
    const other = against.values[run];
    return other === undefined ? [] : [of(value, other)];
  });
  return { value: of(median(here.values), median(against.values)), pairs };
}

/** Whether a figure meets its target. */
export function isKept(figure: Figure): boolean {
  const { value } = ratio(figure);
  const { kind, value: target } = figure.target;
  return kind === "at most" ? value <= target : value >= target;
}

/** The figures as a Markdown table; medians, with the least and the most in parentheses. */
export function table(figures: Figure[]): string {
  const rows = figures.map((figure) => {
    const { here, against, unit, target } = figure;
    const side = ({ what, values }: Side) =>
      `${what}: ${withSpread(values.map((value) => value / PER_UNIT[unit]))} ${unit}`;
    const { value, pairs } = ratio(figure);
    const held = `${number(value)}${against ? "" : ` ${unit}`}`;
    const spread = `${number(Math.min(...pairs))} to ${number(Math.max(...pairs))}`;
    return [
      figure.what,
      side(here),
      against ? side(against) : "",
      held,
      pairs.length > 1 ? spread : "one run",
      `${target.kind} ${target.value}${against ? "" : ` ${unit}`}`,
      isKept(figure) ? "kept" : "missed",
    ];
  });
  const head = ["what", "here", "against", "ratio", "spread", "target", ""];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const MARKS = { begin: "<!-- npm run bench -->", end: "<!-- the bench ends -->" };

/**
 * Puts a text between the two marks of docs/figures.md.
 *
 * @throws Error when the marks are not there
 */
export function insert(page: string, text: string): string {
  const [begin, end] = [page.indexOf(MARKS.begin), page.indexOf(MARKS.end)];
  if (begin < 0 || end < begin) throw new Error(`docs/figures.md lacks ${MARKS.begin} … ${MARKS.end}`);
  return `${page.slice(0, begin + MARKS.begin.length)}\n\n${text}\n\n${page.slice(end)}`;
}
