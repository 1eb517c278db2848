import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tool, TOP } from "../../tools";

const APPLIANCE = join(TOP, "packer/appliance");
const journal = readFileSync(join(__dirname, "journal.txt"), "utf8");

/** What `handover` acts on, out of a journal. */
async function factsOf(lines: string): Promise<string[]> {
  const flags = ["-v", "own=10.10.10.2", "-v", "as=facts", "-f", join(APPLIANCE, "events.awk")];
  return (await tool("busybox", ["awk", ...flags], lines)).split("\n");
}

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/**
 * What `handover` does with facts, and says when all patience is over after the last of them.
 *
 * @param looks so often the firewall has counted more of the mini-PC, and no more from then on
 */
async function handover(facts: string[], looks = 0): Promise<string[]> {
  const done = join(folder, "done");
  const files = {
    // Patience lasts until every fact is acted on.
    console: `
report() { echo "says: $*"; }
sleep() { until [ -e "$state/over" ]; do command sleep 0.05; done; }
nft() {
  [ "$*" = "list counter inet bootstrap minipc_http" ] || return 1
  echo >>"$state/looks"
  packets=$(wc -l <"$state/looks")
  [ "$packets" -lt ${looks} ] || packets=${looks}
  echo "packets $packets bytes 60"
}
`,
    journal: "events() { [ $1 = facts ] && cat; }\n",
    "hand-out": `#!/bin/sh\necho "$*"\n`,
    "site.env": "MINIPC_IP=10.10.10.100 MINIPC_MAC=52:54:00:12:34:56\n",
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o755 });
  const env = `lib=${folder} state=${folder} site=${folder}/site.env`;
  // What waits goes on after the script's end, and ends before this shell's stderr is closed.
  const script = `env ${env} ${APPLIANCE}/handover >${done}; : >${folder}/over`;
  await tool("sh", ["-c", script], facts.map((fact) => `${fact}\n`).join(""));
  return readFileSync(done, "utf8").split("\n").filter(Boolean);
}

test("the facts of a boot by UEFI firmware, in their order", async () => {
  expect(await factsOf(journal)).toMatchSnapshot();
});

const SENT = "tftp snponly.efi 10.10.10.100";
const ASKS = "asks 52:54:00:12:34:56";
const LEASED = "ack boot.ipxe 52:54:00:12:34:56";
const [OTHER, USUAL] = ["program=ipxe.efi", "program=snponly.efi"];
const SILENT = (program: string, gives: string) =>
  new RegExp(`^says: iPXE was handed over \\(${program}\\) and is silent: .*which gives it ${gives}$`);
const UNFETCHED = /^says: iPXE was told of boot\.ipxe and has not fetched it: one without HTTP/;
const SCRIPT = "http /boot.ipxe 200 10.10.10.100";
const KERNEL = "http /talos/v1.11.6/vmlinuz 200 10.10.10.100";
const INITRAMFS = "http /talos/v1.11.6/initramfs.xz 200 10.10.10.100";
const NO_KERNEL = /^says: iPXE was sent boot\.ipxe and has not fetched the kernel, and nothing more /;
const NO_INITRAMFS = /^says: iPXE was sent the kernel and has not fetched the initramfs, and nothing more /;

test.each<[string, string[], (string | RegExp)[]]>([
  ["iPXE that asks nothing", [SENT], [OTHER, SILENT("snponly.efi", "ipxe.efi")]],
  [
    "the other program, that asks nothing either, by HTTP",
    ["http /ipxe.efi 200 10.10.10.100"],
    [USUAL, SILENT("ipxe.efi", "snponly.efi")],
  ],
  [
    "iPXE of a BIOS that asks nothing",
    ["tftp undionly.kpxe 10.10.10.100"],
    [SILENT("undionly.kpxe", "another try")],
  ],
  ["iPXE that is told of boot.ipxe and does not fetch it", [SENT, ASKS, LEASED], [OTHER, USUAL, UNFETCHED]],
  ["iPXE that stops after boot.ipxe", [SENT, ASKS, LEASED, SCRIPT], [OTHER, USUAL, NO_KERNEL]],
  ["iPXE that stops after the kernel", [SCRIPT, KERNEL], [NO_INITRAMFS]],
  ["iPXE that goes on", [SENT, ASKS, LEASED, SCRIPT, KERNEL, INITRAMFS], [OTHER, USUAL]],
  ["iPXE that begins again", [SCRIPT, ASKS], []],
  ["a kernel that is not there, of which the status tells", [SCRIPT, KERNEL.replace("200", "404")], []],
  ["a kernel that is cut off", [SCRIPT, KERNEL.replace("200", "cut")], [NO_KERNEL]],
  ["an initramfs that is cut off", [KERNEL, INITRAMFS.replace("200", "cut")], [NO_INITRAMFS]],
  ["boot.ipxe that is not there", ["http /boot.ipxe 404 10.10.10.100"], []],
  ["another machine that has boot.ipxe", ["http /boot.ipxe 200 10.10.10.2"], []],
  ["another machine's transfer", ["tftp snponly.efi 10.10.10.55"], []],
])(
  "the boot program that is handed out next, and what is said when nothing follows: %s",
  async (_what, facts, expected) => {
    const done = await handover(facts);
    expect(done).toHaveLength(expected.length);
    expected.forEach((each, index) => expect(done[index]).toMatch(each));
  },
);

test("of a download that is under way nothing is said, and of one that stops it is", async () => {
  expect(await handover([SCRIPT], 7)).toEqual([expect.stringMatching(NO_KERNEL)]);
  const looks = readFileSync(join(folder, "looks"), "utf8").split("\n").length - 1;
  expect(looks).toBe(8);
});
