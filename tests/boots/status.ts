import { until } from "../../rehearsal/network/station";
import type { Stage } from "../../rehearsal/stage";
import { demo } from "../e2e/demo";
import { feedFor, SHOWN_MS } from "../e2e/feed";
import { showsStatus } from "../e2e/status-screen";

/** The screen and the feed show that the appliance serves and waits for the mini-PC, to a stranger too. */
export async function statusIsShown(stage: Stage): Promise<void> {
  const waits = `Nothing is heard of the mini-PC (${demo.minipcMac}) yet`;
  let [feed, isShown]: [string | undefined, boolean] = [undefined, false];
  for (const end = Date.now() + SHOWN_MS; Date.now() < end;) {
    feed = await feedFor(stage);
    isShown = await showsStatus(stage);
    if (feed?.includes(waits) && isShown) break;
    await until(stage.site, () => undefined, 1000);
  }
  expect(feed).toContain(waits);
  expect(isShown).toBe(true);
}
