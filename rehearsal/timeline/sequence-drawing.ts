import { markup, type Markup } from "./markup";
import type { RehearsalRecord } from "../record";
import { LINE, sequenceOf, type Lifeline, type Row, type Sequence } from "./sequence";
import { oneLine, seconds, summaryOf } from "./words";

const NAMES: Record<Lifeline, string> = {
  minipc: "mini-PC",
  appliance: "appliance",
  stranger: "stranger",
  uplink: "uplink",
};
/** Right edge of the times. */
const TIMES_X = 54;
const HEAD = { length: 8, half: 4 };
const NAMES_HEIGHT = 24;
/** Length of the torn end of a lifeline. */
const TEAR = 22;
/** A lifeline is dotted this far around the middle of what is skipped. */
const SKIP = 15;

function subtitle(who: Lifeline, { minipc, hardware }: RehearsalRecord): string {
  switch (who) {
    case "minipc":
      return minipc.mac;
    case "appliance":
      return hardware.appliance.firmware === "bios" ? "boots by BIOS" : "boots by UEFI";
    case "stranger":
      return "another host";
    case "uplink":
      return "the way out";
  }
}

function arrowHead(fromX: number, toX: number, y: number, isOpen: boolean): Markup {
  const back = toX - Math.sign(toX - fromX) * HEAD.length;
  const points = `M${back} ${y - HEAD.half}L${toX} ${y}L${back} ${y + HEAD.half}`;
  return isOpen ? markup`<path class="open" d="${points}"/>` : markup`<path class="head" d="${points}Z"/>`;
}

function drawArrow(row: Extract<Row, { kind: "arrow" }>): Markup {
  const { y, fromX, toX, link, broadcast, labelX, label, words } = row;
  const left = Math.min(fromX, ...toX);
  const right = Math.max(fromX, ...toX);
  const rest = label.rest ? markup`<tspan dx="5">${label.rest}</tspan>` : undefined;
  const count = label.count ? markup`<tspan class="count" dx="8">${label.count}</tspan>` : undefined;
  return markup`<g class="said ${link}"><title>${words}</title>
<line x1="${left}" y1="${y}" x2="${right}" y2="${y}"/><circle cx="${fromX}" cy="${y}" r="2.5"/>${toX.map((x) => arrowHead(fromX, x, y, broadcast))}
<text class="label" x="${labelX}" y="${y - 6}"><tspan class="verb">${label.head}</tspan>${rest}${count}</text></g>
`;
}

function drawReached({ x, y, width, title, atMs }: Extract<Row, { kind: "reached" }>): Markup {
  return markup`<g class="reached"><title>${seconds(atMs)} s: ${title}</title>
<rect x="${x}" y="${y - 12}" width="${Math.round(width)}" height="24" rx="12"/><circle cx="${x}" cy="${y}" r="9"/><path class="sign" d="M${x - 4} ${y}l3 3.2l5.2 -6"/>
<text class="label" x="${x + 18}" y="${y + 4.5}">${title}</text></g>
`;
}

function drawSkipped({ y, ms }: Extract<Row, { kind: "skipped" }>, { lifelines }: Sequence): Markup {
  const marks = lifelines.map(
    ({ x }) =>
      markup`<path d="M${x - 6} ${y - SKIP + 3}l12 -6M${x - 6} ${y + SKIP + 3}l12 -6"/><line x1="${x}" y1="${y - SKIP}" x2="${x}" y2="${y + SKIP}"/>`,
  );
  const [first] = lifelines;
  return markup`<g class="skipped">${marks}<text class="label" x="${(first?.x ?? 0) + 12}" y="${y + 4}">${seconds(ms)} s, nothing said</text></g>
`;
}

/** A lifeline torn above what was not reached, and only dotted below it. */
function drawBroken(row: Extract<Row, { kind: "broken" }>, sequence: Sequence): Markup {
  const { x, y, width, height, head, seen } = row;
  const top = y - 16;
  const tear = `M${x} ${top - TEAR}l-6 4l12 4l-12 4l6 4V${top}`;
  const bottom = sequence.height - NAMES_HEIGHT;
  const lines = [
    ...head.map((line) => ({ line, kind: "label" })),
    ...seen.map((line) => ({ line, kind: "label seen" })),
  ];
  const text = lines.map(
    ({ line, kind }, index) =>
      markup`<text class="${kind}" x="${x + 22}" y="${y + 4.5 + index * LINE}">${line}</text>`,
  );
  return markup`<g class="broken"><path class="tear" d="${tear}"/><line class="unreached" x1="${x}" y1="${top + height}" x2="${x}" y2="${bottom}"/>
<rect x="${x}" y="${top}" width="${width}" height="${height}" rx="8"/><circle cx="${x}" cy="${y}" r="11"/><path class="sign" d="M${x - 4} ${y - 4}l8 8M${x + 4} ${y - 4}l-8 8"/>
${text}</g>
`;
}

function drawEnd({ y }: Row, { lifelines }: Sequence): Markup {
  const bars = lifelines.map(({ x }) => markup`<line x1="${x - 7}" y1="${y}" x2="${x + 7}" y2="${y}"/>`);
  const [first] = lifelines;
  return markup`<g class="end">${bars}<text class="label" x="${(first?.x ?? 0) + 14}" y="${y + 4}">the rehearsal ends</text></g>
`;
}

function drawRow(row: Row, sequence: Sequence): Markup {
  switch (row.kind) {
    case "arrow":
      return drawArrow(row);
    case "reached":
      return drawReached(row);
    case "skipped":
      return drawSkipped(row, sequence);
    case "broken":
      return drawBroken(row, sequence);
    case "end":
      return drawEnd(row, sequence);
  }
}

/** A lifeline from the top to the end, open where time is skipped, and broken off where the chain is. */
function drawLifeline(x: number, { rows, topY }: Sequence): Markup {
  const stops = rows.flatMap((row) => (row.kind === "skipped" ? [row.y - SKIP, row.y + SKIP] : []));
  const last = rows.at(-1);
  const end = last?.kind === "broken" ? last.y - 16 - TEAR : last?.y;
  const edges = [topY, ...stops, end ?? topY];
  const pieces = edges.flatMap((y, index) =>
    index % 2 === 0 ? [`M${x} ${y}V${edges[index + 1] ?? y}`] : [],
  );
  return markup`<path class="lifeline" d="${pieces.join("")}"/>`;
}

/** A time is shown once, at the first of the rows that have it. */
function drawTimes({ rows, topY }: Sequence): Markup[] {
  let last = "";
  const times = [{ y: topY, atMs: 0, kind: "start" }, ...rows.filter(({ kind }) => kind !== "skipped")];
  return times.map(({ y, atMs, kind }) => {
    const time = seconds(atMs);
    const isMark = kind !== "arrow";
    if (time === last && !isMark) return markup``;
    last = time;
    return markup`<text class="${isMark ? "time mark" : "time"}" x="${TIMES_X}" y="${y + 4}">${time}</text>
`;
  });
}

/** Draws a rehearsal as an SVG sequence diagram; its colours are the page's. */
export function drawSequence(record: RehearsalRecord): Markup {
  const sequence = sequenceOf(record);
  const { width, height, lifelines, topY, rows } = sequence;
  const headers = lifelines.map(({ who, x }) => {
    const top = markup`<circle class="top" cx="${x}" cy="${topY}" r="4"/>`;
    const name = markup`<text class="name" x="${x - 4}" y="${topY - 32}">${NAMES[who]}</text>`;
    const about = markup`<text class="about" x="${x - 4}" y="${topY - 16}">${oneLine(subtitle(who, record))}</text>`;
    const foot = markup`<text class="about" x="${x - 4}" y="${height - 10}">${NAMES[who]}</text>`;
    return markup`${top}${name}${about}${foot}
`;
  });
  const said = rows.filter(({ kind }) => kind === "arrow").length;
  return markup`<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="sequence-title sequence-about" xmlns="http://www.w3.org/2000/svg">
<title id="sequence-title">Who said what to whom, from the appliance's power-on</title>
<desc id="sequence-about">A sequence diagram of ${lifelines.map(({ who }) => NAMES[who]).join(", ")}, in ${said} arrows: ${summaryOf(record)}. The table below it says the same in words.</desc>
<text class="time about" x="${TIMES_X}" y="${topY - 16}">s</text>
${headers}${lifelines.map(({ x }) => drawLifeline(x, sequence))}
${drawTimes(sequence)}${rows.map((row) => drawRow(row, sequence))}</svg>`;
}
