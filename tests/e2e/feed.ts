import { Station, until } from "../../rehearsal/network/station";
import type { Stage } from "../../rehearsal/stage";

/** A stranger on the isolated link, as in a rehearsal's proofs. */
const STRANGER = { mac: "02:00:5e:00:53:41", ip: "10.10.10.66" };
/** How soon what the feed is to have is in it: the slowest look of the appliance, and more on a slow machine. */
const SHOWN_MS = 300_000;

/** The answer with the status feed, as far as it came before the station has heard enough; unset until it is served. */
export async function feedFor(stage: Stage): Promise<string | undefined> {
  const { site } = stage;
  const station = new Station(site, site.isolated, STRANGER.mac, STRANGER.ip);
  await station.meet(site.applianceIp);
  if ((await station.get(site.applianceIp, "/status.json")) !== 200) return undefined;
  // Its segments are of half a kilobyte, and the first ten are sent at once.
  const text = () => station.heard.map(({ tcp }) => tcp?.payload.toString("latin1") ?? "").join("");
  await until(site, () => text().includes('"events"') || undefined, 5000);
  return text();
}

/** Looks each second until it is as wanted, or for the limit. @returns the last look */
export async function lookUntil<T>(
  { site }: Stage,
  look: () => Promise<T>,
  isWanted: (seen: T) => boolean,
): Promise<T> {
  const end = Date.now() + SHOWN_MS;
  for (;;) {
    const seen = await look();
    if (isWanted(seen) || Date.now() >= end) return seen;
    await until(site, () => undefined, 1000);
  }
}

/** Asks for the feed until it has all of these patterns, or for the limit. @returns the last answer */
export function feedWith(stage: Stage, patterns: RegExp[]): Promise<string | undefined> {
  const hasAll = (feed = "") => patterns.every((pattern) => pattern.test(feed));
  return lookUntil(stage, () => feedFor(stage), hasAll);
}
