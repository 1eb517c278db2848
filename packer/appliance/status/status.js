// Keeps the page up to date from the feed. Nothing is taken as markup: texts are set as texts.
"use strict";

const PAUSE_MS = 2000;
/** After so long the page says that what it shows is old. */
const PATIENCE_MS = 8000;

const byId = (id) => document.getElementById(id);

function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

/** What is said of a step that was passed by. */
const PASSED_BY = { skipped: " (not needed)", unseen: " (not seen)" };

function stepItem({ state, title, time = "", afterS }) {
  const after = afterS === undefined ? "" : `+${afterS} s`;
  const words = title + (PASSED_BY[state] ?? "");
  const parts = [element("span", "clock", time), " ", element("span", "after", after), " "];
  return element("li", state, ...parts, element("span", "", words));
}

const rowItem = ({ name, value, level }) =>
  element("div", level, element("dt", "", name), " ", element("dd", "", value));

const eventItem = ({ time, text }) =>
  element("li", "", element("span", "clock", time), " ", element("span", "", text));

function setText(id, text) {
  // A screen reader reads again whatever is set, even to the same.
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

function show(status) {
  setText("version", status.version);
  setText("talosVersion", status.talosVersion);
  setText("time", status.time);
  setText("diagnosis", status.diagnosis.text);
  byId("diagnosis").className = status.diagnosis.level;
  setText("boot", status.boot.title);
  byId("steps").replaceChildren(...status.boot.steps.map(stepItem));
  byId("rows").replaceChildren(...status.rows.map(rowItem));
  byId("events").replaceChildren(...status.events.map(eventItem));
}

let shownAt = Date.now();
let lastAt;

function judgeAge() {
  const isOld = Date.now() - shownAt > PATIENCE_MS;
  byId("stale").hidden = !isOld;
  if (isOld)
    setText(
      "stale",
      "The appliance has sent nothing new for a while: this is how it was. The page goes on asking.",
    );
  document.querySelector("main").classList.toggle("stale", isOld);
}

async function follow() {
  try {
    const answer = await fetch("/status.json", {
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const status = await answer.json();
    if (status.at !== lastAt) {
      show(status);
      shownAt = Date.now();
      lastAt = status.at;
    }
  } catch {
    // It is asked again; its age tells.
  }
  judgeAge();
  setTimeout(follow, PAUSE_MS);
}

void follow();
