import type { Exchange, LinkName, Party, RehearsalRecord, Side } from "../record";
import { cut, oneLine, seconds, stepsOf, wrap, type Measure } from "./words";

/** A vertical line of the picture. */
export type Lifeline = Party | "uplink";

/** Similar messages in a row: one arrow. */
interface Said {
  kind: "said";
  atMs: number;
  lastMs: number;
  count: number;
  first: Exchange;
  /** Whether every one has the first one's words. */
  same: boolean;
}

type Event =
  | Said
  | { kind: "reached"; atMs: number; lastMs: number; title: string; side: Side }
  | { kind: "broken" | "end"; atMs: number; lastMs: number };

/** What stands in one row of the picture, and at what height. */
export type Row = { y: number; atMs: number } & (
  | {
      kind: "arrow";
      link: LinkName;
      fromX: number;
      /** Where heads are: one, or those who hear a broadcast. */
      toX: number[];
      broadcast: boolean;
      labelX: number;
      /** The leading words, the rest, and how often it was said. */
      label: { head: string; rest: string; count: string };
      /** In full. */
      words: string;
    }
  | { kind: "reached"; x: number; width: number; title: string }
  | { kind: "skipped"; ms: number }
  | { kind: "broken"; x: number; width: number; height: number; head: string[]; seen: string[] }
  | { kind: "end" }
);

/** A picture of who said what when, in px. */
export interface Sequence {
  width: number;
  height: number;
  lifelines: { who: Lifeline; x: number }[];
  /** Where the lifelines begin: the appliance's power-on. */
  topY: number;
  rows: Row[];
}

const WIDTH = 888;
/** Height of a line of text. */
export const LINE = 17;
/** Sizes of writing, as the page's style has them. */
const LABEL_SIZE = 12.5;
const TITLE_SIZE = 13;
/** How much wider a bold text is. */
const BOLD = 1.1;
const HEADER = 58;
const FOOTER = 44;
const MARGIN = 10;
const LABEL_GAP = 12;
/** What a title of a milestone has on its left and right. */
const TITLE_FRAME = 30;
const X: Record<Lifeline, number> = { minipc: 74, appliance: 462, stranger: 622, uplink: 784 };

/** Quiet of up to this long is drawn to scale. */
const QUIET_MS = 5000;
const PX_PER_SECOND = 12;
/** Longest talk that is folded when it is repeated, as `discover`, `offer`. */
const TALK = 3;

/** About how wide a text is set, rather too wide: the font is the reader's. */
function measureAt(size: number): Measure {
  const em = (sign: string) => {
    if (/[ilj.,:;'|!()[\]/ ]/.test(sign)) return 0.33;
    if (/[mwMW@%…]/.test(sign)) return 0.95;
    if (/[A-Z]/.test(sign)) return 0.68;
    return /[\p{Ll}\d\p{P}]/u.test(sign) ? 0.6 : 1.1;
  };
  return (text) => size * [...text].reduce((sum, sign) => sum + em(sign), 0);
}

/** The leading words of what is said, and the rest. */
function parts(what: string): { head: string; rest: string } {
  const [head, ...rest] = what.split(": ");
  return { head: head ?? what, rest: rest.join(": ") };
}

const sameWay = (one: Exchange, other: Exchange) =>
  one.link === other.link && one.from === other.from && one.to === other.to;

/** Whether two events are alike: one by one by their leading words, in a longer talk by every word. */
function alike(one: Event | undefined, other: Event | undefined, byHead: boolean): boolean {
  if (one?.kind !== "said" || other?.kind !== "said" || !sameWay(one.first, other.first)) return false;
  return byHead
    ? parts(one.first.what).head === parts(other.first.what).head
    : one.same && other.same && one.first.what === other.first.what;
}

function joined(one: Event, other: Event): Event {
  if (one.kind !== "said" || other.kind !== "said") return one;
  const same = one.same && other.same && one.first.what === other.first.what;
  return { ...one, count: one.count + other.count, lastMs: other.lastMs, same };
}

/** Folds what is said again and again, by one or in a talk of a few. */
function folded(events: readonly Event[]): Event[] {
  const rows: Event[] = [];
  for (const event of events) {
    rows.push(event);
    for (let length = 1; length <= TALK; length++) {
      const again = rows.slice(-length);
      const before = rows.slice(-2 * length, -length);
      if (before.length < length || !again.every((each, at) => alike(before[at], each, length === 1)))
        continue;
      rows.splice(-2 * length, 2 * length, ...before.map((each, at) => joined(each, again[at] ?? each)));
      break;
    }
  }
  return rows;
}

/** What happened, in the order of time; an answer comes before the milestone that it shows. */
function eventsOf(record: RehearsalRecord): Event[] {
  const said = record.exchanges.map((each): Event => {
    const first = { ...each, what: oneLine(each.what) };
    return { kind: "said", atMs: each.atMs, lastMs: each.atMs, count: 1, first, same: true };
  });
  const reached = stepsOf(record).map(({ atMs, title, side }): Event => ({
    kind: "reached",
    atMs,
    lastMs: atMs,
    title,
    side,
  }));
  const inOrder = [...said, ...reached].sort((one, other) => one.atMs - other.atMs);
  const endMs = Math.max(record.tookMs, inOrder.at(-1)?.atMs ?? 0);
  const end: Event = { kind: record.diagnosis ? "broken" : "end", atMs: endMs, lastMs: endMs };
  return [...folded(inOrder), end];
}

const HEARD_ON: Record<LinkName, Lifeline[]> = {
  isolated: ["minipc", "appliance"],
  uplink: ["appliance", "uplink"],
};

type Unplaced = Row extends infer R ? (R extends Row ? Omit<R, "y" | "atMs"> : never) : never;

function arrow({ first, count, same, atMs, lastMs }: Said): Unplaced {
  const { link, from, to, what } = first;
  const fromX = X[from];
  const hearers = to ? [to] : HEARD_ON[link];
  const others = hearers.filter((who) => who !== from).map((who) => X[who]);
  // Whoever talks to itself: a short arrow beside its line.
  const toX = others.length > 0 ? others : [fromX + LABEL_GAP * 2];
  const leftmost = Math.min(fromX, ...toX);
  // Two hearers on either side, or past someone: the words stand beside the appliance.
  const labelX = (toX.length > 1 ? X.appliance : leftmost) + LABEL_GAP;
  const span = lastMs - atMs >= 1000 ? ` in ${seconds(lastMs - atMs)} s` : "";
  const times = count > 1 ? `${same ? `×${count}` : `and ${count - 1} more`}${span}` : "";
  const { head, rest } = parts(what);
  const width = measureAt(LABEL_SIZE);
  const room = (labelX < X.appliance ? X.appliance : WIDTH) - labelX - LABEL_GAP;
  const left = room - (times ? width(`  ${times}`) : 0);
  const label = { head: cut(head, left, width), rest: "", count: times };
  if (label.head === head && rest) label.rest = cut(rest, left - width(`${head} `), width);
  const words = [`${seconds(atMs)} s, ${link} link: ${what}`, times].filter(Boolean).join(", ");
  return { kind: "arrow", link, fromX, toX, broadcast: !to, labelX, label, words };
}

/** Where the mark stands that shows which milestone broke, and what it says. */
function brokenMark({ diagnosis }: RehearsalRecord): Unplaced {
  const title = oneLine(diagnosis?.title ?? "");
  const x = X[diagnosis?.side ?? "appliance"];
  const width = Math.min(WIDTH - MARGIN - x, 560);
  const room = width - 40;
  const lines = (text: string, size: number, most: number) => {
    const measure = measureAt(size);
    const all = wrap(text, room, measure);
    const kept = all.length > most ? [...all.slice(0, most - 1), all.slice(most - 1).join(" ")] : all;
    return kept.map((line) => cut(line, room, measure));
  };
  const head = lines(
    `${diagnosis?.kind === "proof" ? "Not held" : "Not reached"}: ${title}`,
    TITLE_SIZE * BOLD,
    2,
  );
  const seen = lines(oneLine(diagnosis?.seen ?? ""), LABEL_SIZE, 4);
  return { kind: "broken", x, width, height: (head.length + seen.length) * LINE + 16, head, seen };
}

function rowOf(event: Event, record: RehearsalRecord): Unplaced {
  switch (event.kind) {
    case "said":
      return arrow(event);
    case "reached": {
      const measure = measureAt(TITLE_SIZE * BOLD);
      const x = X[event.side];
      const title = cut(event.title, WIDTH - MARGIN - x - TITLE_FRAME, measure);
      return { kind: "reached", x, width: measure(title) + TITLE_FRAME, title };
    }
    case "broken":
      return brokenMark(record);
    case "end":
      return { kind: "end" };
  }
}

/** How far a row reaches above and below its y. */
function extent(row: Unplaced): { above: number; below: number } {
  switch (row.kind) {
    case "arrow":
      return { above: LINE + 3, below: 5 };
    case "reached":
      return { above: 15, below: 15 };
    case "skipped":
      return { above: 24, below: 22 };
    case "broken":
      return { above: 40, below: row.height - 16 };
    case "end":
      return { above: 12, below: 8 };
  }
}

const AIR = 4;

/** Lays a rehearsal out as a sequence diagram: time runs down, to scale but for long quiet and for lack of room. */
export function sequenceOf(record: RehearsalRecord): Sequence {
  const rows: Row[] = [];
  let clockMs = 0;
  let bottom = HEADER;
  let lastY = HEADER;
  const place = (row: Unplaced, atMs: number, quietMs: number) => {
    const { above, below } = extent(row);
    const y = Math.round(Math.max(bottom + AIR + above, lastY + (quietMs / 1000) * PX_PER_SECOND));
    rows.push({ ...row, y, atMs });
    lastY = y;
    bottom = y + below;
  };
  for (const event of eventsOf(record)) {
    const quietMs = Math.max(0, event.atMs - clockMs);
    const isLong = quietMs > QUIET_MS;
    if (isLong) place({ kind: "skipped", ms: quietMs }, clockMs, 0);
    place(rowOf(event, record), event.atMs, isLong ? 0 : quietMs);
    clockMs = Math.max(clockMs, event.lastMs);
  }
  const speaks = (who: Party) => record.exchanges.some(({ from, to }) => from === who || to === who);
  const lifelines: Lifeline[] = ["minipc", "appliance"];
  if (speaks("stranger")) lifelines.push("stranger");
  if (record.exchanges.some(({ link }) => link === "uplink")) lifelines.push("uplink");
  return {
    width: WIDTH,
    height: bottom + FOOTER,
    lifelines: lifelines.map((who) => ({ who, x: X[who] })),
    topY: HEADER,
    rows,
  };
}
