import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tool, TOP } from "../../tools";
import { IP, MAC } from "./status";

const APPLIANCE = join(TOP, "packer/appliance");

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** The feed that `show-status` writes, once something is in it, when these files are in the appliance's state. */
async function feedOnceItHas(something: string, files: Record<string, string>, site = ""): Promise<string> {
  const shown = join(folder, "shown");
  mkdirSync(shown);
  symlinkSync(join(APPLIANCE, "status"), join(folder, "status"));
  const all = {
    "site.env": `APPLIANCE_CIDR=10.10.10.2/24 MINIPC_MAC=${MAC} MINIPC_IP=${IP} UPLINK=true\n${site}`,
    // The journal is empty, and ends when the feed is there.
    journal: `events() { for try in $(seq 6000); do if grep -qsF '${something}' ${shown}/status.json; then return; fi; sleep 0.1; done; }\n`,
    ...files,
  };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  const env = [
    `lib=${folder}`,
    `state=${folder}`,
    `site=${folder}/site.env`,
    `folder=${shown}`,
    "TICK_S=0.1",
  ];
  await tool("env", [...env, join(APPLIANCE, "show-status")]);
  return readFileSync(join(shown, "status.json"), "utf8");
}

const SERVING = "verdict serving\nuplink_cidr 192.168.1.7/24\nrouter 192.168.1.1\nresolvers 192.168.1.1\n";

test("what announce left of the node's ports is in the feed: since when each answers", async () => {
  const files = { seen: SERVING, "answers-50000": "1795460400\n", "answers-6443": "1795460460\n" };
  const feed = JSON.parse(await feedOnceItHas('"at":1795460460', files, "OFFLINE=true\n")) as {
    boot: { steps: { name: string; state: string; at?: number }[] };
    diagnosis: { text: string };
  };
  expect(feed.boot.steps.slice(-2)).toMatchObject([
    { name: "apid", state: "done", at: 1_795_460_400 },
    { name: "kubernetes", state: "done", at: 1_795_460_460 },
  ]);
  expect(feed.diagnosis.text).toContain("Take its mirrors away");
});

test("what announce left of the internet is in the feed", async () => {
  const feed = await feedOnceItHas("ghcr.io", { seen: SERVING, internet: "no\n" });
  expect(feed).toContain("router 192.168.1.1, DNS 192.168.1.1, ghcr.io does NOT answer");
});
