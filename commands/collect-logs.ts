import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { debugfs } from "../steps/disk/ext4-files";
import { run } from "../steps/programs/process";
import { writesTo } from "../steps/frame/room";
import type { StepContext } from "../steps/frame/context";
import { runProgram } from "../steps/frame/main";
import { StepError } from "../steps/frame/step-error";
import { callerPath } from "./caller-path";
import { openDisk } from "./collect/disk";
import { copyJournal, journalEntries, journalText, type Entry } from "./collect/journal";
import { asShortUnix, eventsOf, leasesOf, report, utc, withoutQueries } from "./collect/report";
import { readCommandLine } from "./command-line.cjs";
import { COLLECT } from "./commands.cjs";
import { readSite } from "./image-facts";
import { makeWorkFolder } from "./raw-image";

const LEASES = "/var/lib/misc/dnsmasq.leases";
const EVENTS = "packer/appliance/events.awk";

/** @throws StepError when the folder has something in it already */
function refuseUsed(folder: string, named: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new StepError(
      `writing to ${named}`,
      "there are files in it already",
      "Name another folder by --to",
    );
}

/** @throws StepError that says why there is no journal */
async function refuseWithoutJournal(root: string, named: string): Promise<never> {
  const hasBooted = (await debugfs(root, "cat /etc/machine-id")).trim() !== "";
  throw new StepError(
    `reading the journal of ${named}`,
    hasBooted ? "it has booted, and keeps none" : "it never booted, so it has none",
    hasBooted
      ? "Images of earlier versions keep it in memory only: make the image anew"
      : "An import copies the image: name a copy of the virtual machine's disk",
  );
}

/** What the consoles said of the journal's lines, by the very program that makes it there. */
async function eventsIn(context: StepContext, entries: Entry[], own: string): Promise<string[]> {
  const flags = ["-v", `own=${own}`, "-v", "as=sentences", "-f", EVENTS];
  return eventsOf((await run(context, "busybox", ["awk", ...flags], { input: asShortUnix(entries) })).stdout);
}

/** Collects from a disk into a folder. @param named the file, as the person named it */
async function collect(context: StepContext, file: string, named: string, folder: string): Promise<void> {
  const shown = relative(".", folder).startsWith("..") ? folder : relative(".", folder);
  refuseUsed(folder, shown);
  const work = makeWorkFolder("collect");
  const { root, siteEnv } = await openDisk(context, file, named, work);
  const journal = join(work, "journal");
  if ((await copyJournal(root, journal)) === 0) await refuseWithoutJournal(root, named);
  const leases = await debugfs(root, `cat ${LEASES}`);
  const entries = await journalEntries(context, journal);
  const site = readSite(siteEnv ?? "");
  const { lines, status } = report({
    site:
      site &&
      `This is the appliance ${site.BOOTSTRAP_VERSION} for the mini-PC ${site.MINIPC_MAC}, with Talos ${site.TALOS_VERSION}.`,
    entries,
    events: await eventsIn(context, entries, site?.APPLIANCE_CIDR.split("/")[0] ?? ""),
    leases: leasesOf(leases),
  });
  const files = {
    "journal.txt": withoutQueries(await journalText(context, journal)),
    "leases.txt": leases,
    "status.txt": status,
  };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writesTo(folder);
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, name), text, { mode: 0o600, flag: "wx" });
  for (const line of lines) context.log(line);
  context.log(`${shown} has ${Object.keys(files).join(", ")}, for your user alone; no secret is in them.`);
}

/** What a file is called without what its form adds. */
const stem = (file: string) => basename(file).replace(/(\.(raw|img|qcow2|vdi|vmdk|vhdx?|gz|zst))+$/i, "");

void runProgram("collect", async (context) => {
  const { values, positionals } = readCommandLine(COLLECT);
  const [named = ""] = positionals;
  const time = utc(Date.now()).replaceAll(":", "-");
  const folder = values.to ? callerPath(values.to) : resolve("artifacts/collected", `${stem(named)}-${time}`);
  await collect(context, callerPath(named), named, folder);
  return undefined;
});
