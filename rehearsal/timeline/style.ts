/** The page's own style: nothing comes from elsewhere. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #fcfcfb; --panel: #f4f5f3; --ink: #1b2025; --soft: #59626b; --faint: #dde0de; --line: #a9b0b4;
  --ok: #17703f; --ok-panel: #e5f2ea; --bad: #b3261e; --bad-panel: #fbe9e7; --said: #2a5c9c; --away: #7a4f9a;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --panel: #1c2024; --ink: #e3e6e8; --soft: #9aa4ac; --faint: #2c3237; --line: #58626a;
    --ok: #5cc48a; --ok-panel: #173226; --bad: #ff8a7d; --bad-panel: #3a1d1b; --said: #82b1ea; --away: #c39be2;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: clamp(1.25rem, 4vw, 3.5rem) clamp(1rem, 4vw, 2.5rem); max-width: 61rem;
  background: var(--page); color: var(--ink); font: 1rem/1.5 var(--sans); overflow-wrap: anywhere;
}
a { color: var(--said); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
a:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--said); outline-offset: 2px; }
h1 { display: flex; gap: 0.6rem; align-items: flex-start; margin: 0.3rem 0 0.4rem; font-size: clamp(1.5rem, 5vw, 2.1rem);
  font-weight: 640; line-height: 1.2; letter-spacing: -0.015em; text-wrap: balance; }
h1 svg { flex: none; width: 0.95em; height: 0.95em; margin-top: 0.13em; }
h2 { margin: 3.2rem 0 0.3rem; padding-top: 1.1rem; border-top: 1px solid var(--faint); font-size: 1.15rem; font-weight: 620; }
h2 + p { margin: 0 0 1rem; }
p { max-width: 42rem; }
.kicker { margin: 0; color: var(--soft); font-size: 0.85rem; letter-spacing: 0.02em; }
.lead { margin: 0; font-size: 1.05rem; }
p.note { max-width: 52rem; }
.note, .evidence { color: var(--soft); font-size: 0.875rem; }
.ok { color: var(--ok); } .bad { color: var(--bad); }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); gap: 0.9rem 1.75rem; margin: 1.9rem 0 0; }
.facts .wide { grid-column: 1 / -1; }
dt { color: var(--soft); font-size: 0.8rem; }
.facts dt::first-letter { text-transform: uppercase; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.path { font-family: var(--mono); font-size: 0.875rem; }
.diagnosis { margin: 1.5rem 0 0; padding: 1.1rem 1.3rem 1.2rem; border-left: 4px solid var(--bad); border-radius: 0 6px 6px 0;
  background: var(--bad-panel); }
.diagnosis h2 { margin: 0 0 0.7rem; padding: 0; border: 0; color: var(--bad); }
.diagnosis dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.45rem 1.2rem; margin: 0; }
.diagnosis dt { padding-top: 0.15rem; }
.picture { margin: 1.2rem 0 0; overflow-x: auto; }
.picture svg { display: block; width: 100%; height: auto; min-width: 46rem; }
.key { display: flex; flex-wrap: wrap; gap: 0.3rem 1.5rem; margin: 0.9rem 0 0; padding: 0; list-style: none; }
.key svg { width: 34px; height: 12px; margin-right: 0.45rem; vertical-align: -1px; }
svg text { font-family: var(--sans); fill: var(--ink); }
svg .name { font-size: 15px; font-weight: 640; }
svg .about, svg .count { font-size: 11.5px; fill: var(--soft); }
svg .time { font-size: 11.5px; text-anchor: end; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .time.mark { fill: var(--ink); font-weight: 620; }
svg .label { font-size: 12.5px; paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round; }
svg .verb { font-weight: 560; }
svg .count { font-weight: 560; }
svg .lifeline { fill: none; stroke: var(--line); stroke-width: 1; }
svg .top { fill: var(--line); }
svg .said { color: var(--said); }
svg .said.uplink { color: var(--away); }
svg .said line { stroke: currentColor; stroke-width: 1.25; }
svg .said.uplink line { stroke-dasharray: 5 3; }
svg .said circle, svg .head { fill: currentColor; }
svg .open { fill: none; stroke: currentColor; stroke-width: 1.5; }
svg .reached rect { fill: var(--ok-panel); }
svg .reached circle { fill: var(--ok); }
svg .reached .label { font-size: 13px; font-weight: 600; fill: var(--ok); stroke: none; }
svg .broken rect { fill: var(--bad-panel); stroke: var(--bad); stroke-width: 1.25; }
svg .tear { fill: none; stroke: var(--bad); stroke-width: 1.75; stroke-linejoin: bevel; }
svg .unreached { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 1.5 4; }
svg .broken circle { fill: var(--bad); }
svg .broken .label { font-size: 13px; font-weight: 600; fill: var(--bad); stroke: none; }
svg .broken .label.seen { font-size: 12.5px; font-weight: 400; fill: var(--ink); }
svg .sign { fill: none; stroke: var(--page); stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
svg .skipped path { fill: none; stroke: var(--line); stroke-width: 1.25; }
svg .skipped line { stroke: var(--line); stroke-dasharray: 1.5 4; }
svg .skipped .label, svg .end .label { font-size: 12px; fill: var(--soft); }
svg .end line { stroke: var(--line); stroke-width: 2; }
table { width: 100%; margin: 1rem 0 0; border-collapse: collapse; }
th { padding: 0 0.9rem 0.4rem 0; color: var(--soft); font-size: 0.8rem; font-weight: 500; text-align: left; vertical-align: bottom; }
td { padding: 0.75rem 0.9rem 0.75rem 0; border-top: 1px solid var(--faint); vertical-align: top; }
.number { width: 1%; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.took { width: 6.5rem; }
.bar { display: block; height: 4px; margin: 0.35rem 0 0; border-radius: 2px; background: var(--faint); }
.bar i { display: block; height: 100%; min-width: 2px; border-radius: 2px; background: var(--said); }
.title { display: block; font-weight: 560; }
tr.bad .title { font-weight: 640; }
.screens { width: 14.5rem; padding-right: 0; }
.screens div { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.screens a { display: block; width: 6.9rem; color: var(--soft); font-size: 0.75rem; text-decoration: none; }
.screens a:hover { color: var(--ink); text-decoration: underline; }
.screens img { display: block; width: 100%; aspect-ratio: 8 / 5; object-fit: cover; object-position: top left; border: 1px solid var(--faint);
  border-radius: 3px; background: #000; }
.proofs { margin: 1rem 0 0; padding: 0; list-style: none; }
.proofs li { display: grid; grid-template-columns: 6.2rem 1fr; padding: 0.75rem 0; border-top: 1px solid var(--faint); }
.proofs .state { font-weight: 600; }
.proofs .state svg { width: 0.95em; height: 0.95em; margin-right: 0.35em; vertical-align: -0.1em; }
.files { columns: 2 18rem; margin: 1rem 0 0; padding: 0; list-style: none; }
.files li { padding: 0.25rem 0; break-inside: avoid; }
@media (max-width: 40rem) {
  .facts { grid-template-columns: repeat(2, 1fr); gap: 0.8rem 1.2rem; }
  .took { width: 4rem; }
  .screens { width: 5.5rem; }
  .screens a { width: 5.4rem; }
  .proofs li { grid-template-columns: 1fr; }
  .diagnosis dl { grid-template-columns: 1fr; gap: 0; }
  .diagnosis dd + dt { padding-top: 0.6rem; }
}
@media print {
  body { max-width: none; padding: 0; }
  .picture { overflow: visible; }
  tr, li, .diagnosis { break-inside: avoid; }
}
`;
