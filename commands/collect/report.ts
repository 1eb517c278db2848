import type { Entry } from "./journal";

/** What an appliance says of itself has this source in the journal (packer/appliance/announce). */
const APPLIANCE = "bootstrap-pxe";
/** As of syslog: an error or worse. */
const ERROR = 3;
/** How many lines of a kind the terminal shows. */
const SHOWN = 10;

/** From the switching on of the appliance to its last line. */
export interface Boot {
  id: string;
  fromMs: number;
  toMs: number;
}

/** A time of the appliance's clock, to the second, UTC. */
export const utc = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

/** The boots that a journal is of, in its order: the clock may have been set back between two. */
export function bootsOf(entries: readonly Entry[]): Boot[] {
  const boots = new Map<string, Boot>();
  for (const { boot: id, atMs } of entries) {
    const boot = boots.get(id);
    if (boot) boot.toMs = atMs;
    else boots.set(id, { id, fromMs: atMs, toMs: atMs });
  }
  return [...boots.values()];
}

/** What the appliance said that it serves, or why it serves nothing. */
export const verdictsOf = (entries: readonly Entry[]): Entry[] =>
  entries.filter(
    ({ source, message }) => source === APPLIANCE && /^(serving|NOT serving|waiting)\b/.test(message),
  );

/** What went wrong, by the judgement of the program that wrote it. */
export const faultsOf = (entries: readonly Entry[]): Entry[] =>
  entries.filter(
    ({ source, priority, message }) =>
      priority <= ERROR || (source === APPLIANCE && message.startsWith("NOT serving")),
  );

/** Lines as packer/appliance/events.awk reads them: `journalctl -o short-unix --no-hostname`. */
export const asShortUnix = (entries: readonly Entry[]): string =>
  entries
    .map(({ atMs, source, message }) => `${atMs / 1000} ${source}: ${message.replaceAll("\n", " ")}\n`)
    .join("");

/** What events.awk prints, its seconds as times. */
export const eventsOf = (printed: string): string[] =>
  printed
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [, second, event] = /^(\d+) (.*)$/.exec(line) ?? [];
      return `${utc(Number(second) * 1000)} ${event}`;
    });

/** The log of nginx without the queries of what was asked for, which may be anything. */
export const withoutQueries = (log: string): string =>
  log.replace(/( nginx\[?\d*\]?: .*?"[A-Z]+ [^ ?"]*\?)[^ "]*/g, "$1…");

/** What dnsmasq's file of leases has, in words: `seconds MAC address name client-id` is a lease, 0 one for good. */
export const leasesOf = (file: string): string[] =>
  file.split("\n").flatMap((line) => {
    const [, until, mac, address] = /^(\d+) ([0-9a-f:]{17}) ([\d.]+) /.exec(line) ?? [];
    if (!until) return [];
    return [`${address} to ${mac}, ${until === "0" ? "for good" : `until ${utc(Number(until) * 1000)}`}`];
  });

/** What was read from a disk. */
export interface Collected {
  /** What its site.env says, in one line; undefined where that cannot be read. */
  site: string | undefined;
  entries: readonly Entry[];
  events: readonly string[];
  leases: readonly string[];
}

/** What a client sent may be in it; a terminal obeys control characters. */
const oneLine = ({ atMs, source, message }: Entry) =>
  `${utc(atMs)} ${source}: ${message.replaceAll("\n", " ").replace(/\p{C}/gu, "?")}`;

function latest(what: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [`${what}: none`];
  const shown = lines.slice(-SHOWN).map((line) => `  ${line}`);
  return [`${what}${lines.length > SHOWN ? `, the last ${SHOWN} of ${lines.length}` : ""}:`, ...shown];
}

/**
 * What a person is told of a disk.
 *
 * @returns lines: what the terminal shows; status: the same with everything that the appliance said
 */
export function report({ site, entries, events, leases }: Collected): { lines: string[]; status: string } {
  const [boots, verdicts] = [bootsOf(entries), verdictsOf(entries)];
  const last = verdicts.at(-1);
  const lines = [
    site ?? "Its site layer cannot be read: import its image again.",
    ...latest(
      "It was started",
      boots.map(({ fromMs, toMs }) => `${utc(fromMs)}, and its journal goes on until ${utc(toMs)}`),
    ),
    last ? `It said last, ${utc(last.atMs)}: ${last.message}` : "It never said whether it serves.",
    ...latest("Leased", leases),
    ...latest("Events", events),
    ...latest("Faults", faultsOf(entries).map(oneLine)),
  ];
  const said = entries.filter(({ source }) => source === APPLIANCE).map(oneLine);
  return {
    lines,
    status: [...lines, "All that it said:", ...said.map((line) => `  ${line}`), ""].join("\n"),
  };
}
