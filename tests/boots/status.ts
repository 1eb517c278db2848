import type { Stage } from "../../rehearsal/stage";
import { demo } from "../e2e/demo";
import { feedFor, lookUntil } from "../e2e/feed";
import { showsStatus } from "../e2e/status-screen";

/** The screen and the feed show that the appliance serves and waits for the mini-PC, to a stranger too. */
export async function statusIsShown(stage: Stage): Promise<void> {
  const waits = `Nothing is heard of the mini-PC (${demo.minipcMac}) yet`;
  const look = async () => ({ feed: await feedFor(stage), isShown: await showsStatus(stage) });
  const { feed, isShown } = await lookUntil(
    stage,
    look,
    (seen) => seen.isShown && seen.feed?.includes(waits) === true,
  );
  expect(feed).toContain(waits);
  expect(isShown).toBe(true);
}
