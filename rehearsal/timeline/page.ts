import { basename } from "node:path";
import { markup, Markup } from "./markup";
import type { RehearsalRecord, Screen } from "../record";
import { drawSequence } from "./sequence-drawing";
import { STYLE } from "./style";
import { factsOf, oneLine, seconds, stepsOf, summaryOf } from "./words";

const MACHINES = { appliance: "appliance", minipc: "mini-PC" } as const;

/** Only the page's own style and the files beside it: even a text that got in as markup could do nothing. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file: data:";

/** A path as a link that stays beside the page: no part of it passes for a scheme, a host or a query. */
const linkTo = (file: string) => file.split("/").filter(Boolean).map(encodedPart).join("/");
const encodedPart = (part: string) => encodeURIComponent(Buffer.from(part).toString());

const signOf = (good: boolean) =>
  markup`<svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="10" fill="currentColor"/><path class="sign" d="${good ? "M5.5 10.4l3 3.1l6 -7" : "M6.3 6.3l7.4 7.4M13.7 6.3l-7.4 7.4"}"/></svg>`;

function whatBroke({ diagnosis, tookMs }: RehearsalRecord): Markup | undefined {
  if (!diagnosis) return undefined;
  const { title, seen, look } = diagnosis;
  return markup`<section class="diagnosis" aria-labelledby="diagnosis">
<h2 id="diagnosis">Where it broke</h2>
<dl>
<dt>What did not hold</dt><dd>${oneLine(title)}, after ${seconds(tookMs)} s</dd>
<dt>What was seen</dt><dd>${oneLine(seen)}.</dd>
<dt>Where to look</dt><dd>${oneLine(look)}.</dd>
</dl>
</section>
`;
}

function verdict(record: RehearsalRecord): Markup {
  const { passed, diagnosis, image } = record;
  const words = passed
    ? "Rehearsed: the mini-PC boots from this image"
    : `FAILED at “${oneLine(diagnosis?.title ?? "")}”`;
  const facts = factsOf(record).map(([label, value]) => {
    const kind = label === "image" ? "wide" : "";
    const isPath = ["image", "SHA-256", "lease"].includes(label);
    return markup`<div class="${kind}"><dt>${label}</dt><dd class="${isPath ? "path" : ""}">${value}</dd></div>
`;
  });
  return markup`<header>
<p class="kicker">Rehearsal of ${oneLine(basename(image.path))}</p>
<h1><span class="${passed ? "ok" : "bad"}">${signOf(passed)}</span><span>${words}</span></h1>
<p class="lead">${summaryOf(record)}.</p>
${whatBroke(record)}<dl class="facts">
${facts}</dl>
</header>`;
}

function key(record: RehearsalRecord): Markup {
  const swatch = (kind: string, head: string) =>
    markup`<svg viewBox="0 0 34 12" aria-hidden="true"><g class="said ${kind}"><line x1="2" y1="6" x2="31" y2="6"/><path class="${head}" d="M24 2L32 6L24 10"/></g></svg>`;
  const hasUplink = record.exchanges.some(({ link }) => link === "uplink");
  return markup`<ul class="key note">
<li>${swatch("isolated", "head")}to one host</li>
<li>${swatch("isolated", "open")}to everyone on the link</li>
${hasUplink ? markup`<li>${swatch("uplink", "head")}on the uplink</li>` : undefined}
<li><svg viewBox="0 0 34 12" aria-hidden="true"><g class="reached"><rect x="6" y="1" width="26" height="10" rx="5"/><circle cx="7" cy="6" r="5"/></g></svg>a milestone holds</li>
<li>×3: said three times in a row</li>
</ul>`;
}

function picture(record: RehearsalRecord): Markup {
  return markup`<section aria-labelledby="sequence">
<h2 id="sequence">What was said</h2>
<p class="note">Time runs down the page, in seconds since the appliance’s power-on; where a line is dotted, seconds are left out.</p>
<figure class="picture" tabindex="0" role="group" aria-labelledby="sequence">
${drawSequence(record)}
</figure>
${key(record)}
</section>`;
}

function thumbnails(screens: readonly Screen[], title: string): Markup {
  const pictures = screens.map(({ machine, file }) => {
    const name = MACHINES[machine];
    return markup`<a href="${linkTo(file)}"><img src="${linkTo(file)}" alt="The ${name}’s screen: ${title}" loading="lazy">${name}</a>
`;
  });
  return screens.length > 0 ? markup`<div>${pictures}</div>` : markup``;
}

function chain(record: RehearsalRecord): Markup {
  const { diagnosis, screens, tookMs } = record;
  const steps = stepsOf(record);
  const longest = Math.max(1, ...steps.map((step) => step.tookMs));
  const rows = steps.map(({ id, atMs, tookMs, title, evidence }) => {
    const taken = screens.filter((screen) => screen.id === id);
    const share = Math.max(0, Math.round((tookMs / longest) * 100));
    return markup`<tr><td class="number">${seconds(atMs)}</td><td class="number took">${seconds(tookMs)}<span class="bar"><i style="width:${share}%"></i></span></td><td><span class="title">${title}</span><span class="evidence">${evidence}</span></td><td class="screens">${thumbnails(taken, title)}</td></tr>
`;
  });
  const others = screens.filter(({ id }) => !steps.some((step) => step.id === id));
  const broke = diagnosis?.kind === "milestone" ? diagnosis : undefined;
  const end = oneLine(broke?.title ?? "at the end");
  const sign = broke ? markup`<span class="bad">not reached: ${end}</span>` : end;
  const last =
    broke || others.length > 0
      ? markup`<tr class="${broke ? "bad" : ""}"><td class="number">${seconds(tookMs)}</td><td class="number took">${broke ? "–" : ""}</td><td><span class="title">${sign}</span><span class="evidence">${broke && oneLine(broke.seen)}</span></td><td class="screens">${thumbnails(others, end)}</td></tr>
`
      : undefined;
  return markup`<section aria-labelledby="chain">
<h2 id="chain">The milestones</h2>
<p class="note">Each took the time since the one before it; the bar shows where the time went.</p>
<table>
<thead><tr><th scope="col" class="number">At, s</th><th scope="col" class="number">Took, s</th><th scope="col">What was reached, and the evidence</th><th scope="col">Screens</th></tr></thead>
<tbody>
${rows}${last}</tbody>
</table>
</section>`;
}

function mustNots({ proofs }: RehearsalRecord): Markup {
  const items = proofs.map(
    ({ title, held, evidence }) =>
      markup`<li><span class="state ${held ? "ok" : "bad"}">${signOf(held)}${held ? "held" : "NOT held"}</span><span><span class="title">${oneLine(title)}</span><span class="evidence">${oneLine(evidence)}</span></span></li>
`,
  );
  const list =
    proofs.length > 0
      ? markup`<ul class="proofs">
${items}</ul>`
      : markup`<p>The proofs were not asked for: they come after the last milestone.</p>`;
  return markup`<section aria-labelledby="proofs">
<h2 id="proofs">What must not happen</h2>
<p class="note">Asked by the rehearsal itself, as another host on either link.</p>
${list}
</section>`;
}

/** The files beside the page, with what each of them is. */
function filesBeside({ exchanges, hardware, diagnosis }: RehearsalRecord): [file: string, what: string][] {
  const uplink = exchanges.some(({ link }) => link === "uplink");
  // It is switched on when the appliance serves.
  const minipcRan = diagnosis?.kind !== "milestone" || diagnosis.side === "minipc";
  const files: [string, string, boolean][] = [
    ["isolated.pcap", "everything on the isolated link", true],
    ["uplink.pcap", "everything on the uplink", uplink],
    ["appliance.serial.log", "the appliance’s console", true],
    ["minipc.serial.log", "the mini-PC’s console", minipcRan],
    ["twin-isolated.pcap", "the twin’s isolated link", Boolean(hardware.twin)],
    ["twin-uplink.pcap", "the twin’s uplink", Boolean(hardware.twin) && uplink],
    ["twin-appliance.serial.log", "the twin’s console", Boolean(hardware.twin)],
    ["timeline.txt", "this page as text", true],
    ["rehearsal.json", "this page’s figures", true],
  ];
  return files.flatMap(([file, what, exists]) => (exists ? [[file, what]] : []));
}

function files(record: RehearsalRecord): Markup {
  const items = filesBeside(record).map(
    ([file, what]) =>
      markup`<li><a class="path" href="${linkTo(file)}">${file}</a> <span class="note">${what}</span></li>
`,
  );
  return markup`<section aria-labelledby="files">
<h2 id="files">The evidence</h2>
<p class="note">Files beside this page.</p>
<ul class="files">
${items}</ul>
</section>`;
}

/** What a rehearsal saw, as one page that needs nothing but the pictures and files beside it. */
export function timelinePage(record: RehearsalRecord): string {
  const sections = [verdict, picture, chain, mustNots, files].map((section) => section(record));
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<link rel="icon" href="data:,">
<title>${record.passed ? "Rehearsed" : "FAILED"}: ${oneLine(basename(record.image.path))}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
${sections.map(
  (section) => markup`${section}
`,
)}</main>
</body>
</html>
`.text;
}
