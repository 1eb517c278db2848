import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TOP } from "../../tools";

const textOf = (path: string) => readFileSync(join(TOP, path), "utf8");
const appliance = (name: string) => textOf(join("packer/appliance", name));

/** The body of a shell function; of a program without its functions, what it does forever. */
function bodyOf(text: string, name: string): string {
  const start =
    name === "" ? /^while :; do\n([^]*?)^done/m : new RegExp(`^${name}\\(\\) \\{\\n([^]*?)^\\}`, "m");
  return (start.exec(text) ?? fail(`there is no ${name || "loop"}`))[1] as string;
}

function fail(what: string): never {
  throw new Error(what);
}

/** All numbers that a pattern finds; at least one. */
function numbersIn(text: string, pattern: RegExp): number[] {
  const found = [...text.matchAll(pattern)].map(([, number]) => Number(number));
  return found.length > 0 ? found : fail(`nothing in it is like ${pattern.source}`);
}
const sum = (numbers: number[]) => numbers.reduce((one, other) => one + other, 0);
const SLEEP = /\bsleep (\d+)/g;
const TIMEOUT = /\btimeout (\d+) /g;

const announce = appliance("announce");
/** The second of a status that is shown, after what is known has changed. */
const TICK = sum(numbersIn(appliance("show-status"), /TICK_S:=(\d+)/g));
/** How long the page takes to ask again. */
const PAGE = sum(numbersIn(appliance("status/status.js"), /PAUSE_MS = (\d+)/g)) / 1000;

const loop = bodyOf(announce, "");
const [glances = 0] = numbersIn(loop, /"\$looked" -lt (\d+)/g);
const [betweenGlances = 0, starting = 0, afterLook = 0] = numbersIn(loop, SLEEP);
/** Until a glance sees a change, and until a close look is taken without one. */
const GLANCE = Math.max(betweenGlances, starting, afterLook);
const LOOK = afterLook + glances * betweenGlances;

/** One round of each watcher: what it waits for an answer at most, and its pause. */
const resolvers =
  sum(numbersIn(bodyOf(announce, "watch_resolvers"), SLEEP)) +
  sum(numbersIn(appliance("ask-resolvers"), /-timeout=(\d+)/g));
const watched = bodyOf(announce, "watch_for_servers");
const servers =
  sum(numbersIn(watched, SLEEP)) +
  sum(numbersIn(watched, / -t (\d+) /g)) * sum(numbersIn(watched, / -T (\d+) /g)) +
  // It is asked for a fixed uplink's gateway in the same round.
  sum(numbersIn(appliance("uplink"), /"\$UPLINK_GATEWAY" (\d+)/g));
const internet =
  sum(numbersIn(bodyOf(announce, "watch_internet"), SLEEP)) +
  sum(numbersIn(announce, /timeout (\d+) bash -c ': </g));
const patience = sum(numbersIn(appliance("handover"), /^PATIENCE_S=(\d+)/gm));
const quiet = sum(numbersIn(appliance("handover"), /^QUIET_S=(\d+)/gm));
const ports = bodyOf(announce, "watch_node");
const node = sum(numbersIn(ports, SLEEP)) + 2 * sum(numbersIn(ports, TIMEOUT));

/** Seconds from the sign to the screen. */
const DELAYS = {
  "a line of the journal": TICK,
  "a link, an address, a route": GLANCE + TICK,
  "a service, the clock, the router": LOOK + TICK,
  "a DHCP server on the isolated link": servers + GLANCE + TICK,
  "the resolvers": resolvers + GLANCE + TICK,
  "the internet": internet + TICK,
  "iPXE's silence": patience + TICK,
  // It may stop just after a look.
  "a download that stops": 2 * quiet + TICK,
  "the node's ports": node + TICK,
};

test.each(Object.entries(DELAYS))(
  "what is seen by %s is on screen and page within 30 s",
  (_what, seconds) => {
    expect(seconds).toBeGreaterThan(0);
    expect(seconds + PAGE).toBeLessThanOrEqual(30);
  },
);

test("the document has these delays", () => {
  const [, section = ""] =
    /## How soon a fault shows\n([^]*?)\n## /.exec(textOf("docs/troubleshooting.md")) ?? [];
  const rows = [...section.matchAll(/^\| [^|]+ \| ([^|]+?) +\| +(\d+) s +\|/gm)];
  const said = rows.map(([, sign, seconds]) => `${sign}: ${seconds} s`);
  expect([...new Set(said)].sort()).toEqual(
    Object.entries(DELAYS)
      .map(([sign, seconds]) => `${sign}: ${seconds} s`)
      .sort(),
  );
  expect(section).toContain(`${PAGE} s later on the page`);
});
