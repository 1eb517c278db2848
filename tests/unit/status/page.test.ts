import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { TOP } from "../../tools";
import { bootFacts, feedOf, GOOD, IP, MAC, NOW, pageOf } from "./status";

const SCRIPT = readFileSync(join(TOP, "packer/appliance/status/status.js"), "utf8");
const HOSTILE = `<img src=x onerror=alert(1)> & "quoted"`;

/** As much of a browser's element as the page's script uses. */
class Element {
  className = "";
  hidden = true;
  content: (Element | string)[] = [];
  readonly classes = new Set<string>();
  readonly classList = {
    toggle: (name: string, isOn: boolean) => (isOn ? this.classes.add(name) : this.classes.delete(name)),
  };
  constructor(private readonly name: string) {}

  append(...content: (Element | string)[]) {
    this.content.push(...content.filter((part) => part !== ""));
  }
  replaceChildren(...content: Element[]) {
    this.content = content;
  }
  get textContent(): string {
    return this.content.map((part) => (typeof part === "string" ? part : part.textContent)).join("");
  }
  set textContent(text: string) {
    this.content = [text];
  }
  get inner(): string {
    const escaped = (text: string) =>
      text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
    return this.content.map((part) => (typeof part === "string" ? escaped(part) : part.outer)).join("");
  }
  get outer(): string {
    const named = this.className ? ` class="${this.className}"` : "";
    return `<${this.name}${named}>${this.inner}</${this.name}>`;
  }
}

/** Runs the page's script until it has asked for the feed so many times. */
async function followed(answers: (object | undefined)[], clockMs: number[] = []) {
  const elements = new Map<string, Element>();
  const elementOf = (id: string) => elements.get(id) ?? elements.set(id, new Element("x")).get(id);
  const asked: string[] = [];
  await new Promise<void>((resolve) => {
    let clock = 0;
    runInNewContext(SCRIPT, {
      document: {
        getElementById: elementOf,
        querySelector: elementOf,
        createElement: (name: string) => new Element(name),
      },
      Date: { now: () => clockMs[clock++] ?? 0 },
      AbortSignal: { timeout: () => undefined },
      fetch: (path: string) => {
        asked.push(path);
        const answer = answers[asked.length - 1];
        return answer ? Promise.resolve({ json: () => answer }) : Promise.reject(new Error("no answer"));
      },
      setTimeout: (again: () => void) => (asked.length < answers.length ? again() : resolve()),
    });
  });
  return { asked, part: (id: string) => elementOf(id) as Element };
}

/** What the page has in an element, without the ends of lines. */
const innerOf = (page: string, id: string) =>
  new RegExp(`<(\\w+) id="${id}"[^>]*>(.*?)</\\1>`, "s").exec(page)?.[2]?.replace(/\n/g, "");

test.each([
  ["not needed", bootFacts("kernel").filter((line) => !line.includes("snponly")), {}],
  ["not seen", bootFacts("config"), { "answers-50000": String(NOW) }],
])("what the script draws from the feed is what the page has without it: a step %s", async (...given) => {
  const [words, facts, known] = given;
  const lines = [...facts, `${NOW} said ${HOSTILE}`];
  const [page, feed] = await Promise.all([pageOf(lines, known), feedOf(lines, known)]);
  expect(innerOf(page, "steps")).toContain(` (${words})</span>`);
  const { part, asked } = await followed([feed]);
  expect(asked).toEqual(["/status.json"]);
  const ids = ["version", "talosVersion", "time", "diagnosis", "boot", "steps", "rows", "events"];
  expect(ids.map((id) => part(id).inner)).toEqual(ids.map((id) => innerOf(page, id)));
  expect(part("diagnosis").className).toBe(/id="diagnosis" .*class="(\w+)"/.exec(page)?.[1]);
});

test("a page that hears nothing new says so, and asks on", async () => {
  const feed = await feedOf([]);
  const silent = await followed([feed, undefined], [0, 1000, 1000, 20_000]);
  expect(silent.part("stale")).toMatchObject({ hidden: false });
  expect(silent.part("stale").textContent).toMatch(/^The appliance has sent nothing new for a while/);
  expect(silent.part("main").classes).toContain("stale");
  const back = await followed(
    [feed, undefined, { ...feed, at: feed.at + 1 }],
    [0, 1000, 1000, 20_000, 21_000],
  );
  expect(back.part("stale")).toMatchObject({ hidden: true });
});

test("what a client sent is text on the page", async () => {
  const page = await pageOf([`${NOW} said ${HOSTILE}`, `${NOW} fact http /<b> 404 ${IP}`], {
    bootstrap_version: "<i>",
  });
  expect(page).not.toMatch(/<(img|b|i)\b/);
  expect(page).toContain("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;quoted&quot;");
});

test("nothing on the page comes from elsewhere, and nothing in it is a script or a style", async () => {
  const page = await pageOf(bootFacts("config"));
  expect([...page.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, target]) => target)).toEqual([
    "data:,",
    "/status.css",
    "/status.js",
    "/status.json",
  ]);
  expect(page).not.toMatch(/<script[^>]*>[^<]|<style|\bon\w+=|\bstyle=/);
  for (const text of [SCRIPT, readFileSync(join(TOP, "packer/appliance/status/status.css"), "utf8")])
    expect(text).not.toMatch(/https?:|@import|url\(/);
});

test("the page is whole HTML: each element that is opened is closed", async () => {
  const page = await pageOf([...bootFacts("config"), `${NOW} fact asks ${MAC}`], { verdict: GOOD.verdict });
  const open: string[] = [];
  for (const [, slash, name] of page.replace(/<!doctype html>/, "").matchAll(/<(\/?)(\w+)[^>]*>/g)) {
    if (slash) expect(open.pop()).toBe(name);
    else if (!["meta", "link"].includes(name as string)) open.push(name as string);
  }
  expect(open).toEqual([]);
});
