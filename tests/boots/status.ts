import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../rehearsal/network/station";
import type { Stage } from "../../rehearsal/stage";
import { demo } from "../e2e/demo";
import { feedFor, SHOWN_MS } from "../e2e/feed";
import { hasStatus } from "../e2e/status-screen";

/** The screen and the feed show that the appliance serves and waits for the mini-PC, to a stranger too. */
export async function statusIsShown(stage: Stage): Promise<void> {
  const { signal } = stage.site;
  const folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
  const picture = join(folder, "screen.png");
  const waits = `Nothing is heard of the mini-PC (${demo.minipcMac}) yet`;
  let feed: string | undefined;
  try {
    for (const end = Date.now() + SHOWN_MS; Date.now() < end;) {
      feed = await feedFor(stage);
      await stage.screendump(() => picture);
      if (feed?.includes(waits) && hasStatus(readFileSync(picture))) break;
      await until(signal, () => undefined, 1000);
    }
    expect(feed).toContain(waits);
    expect(hasStatus(readFileSync(picture))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
