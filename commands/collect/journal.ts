import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { debugfs, namesIn } from "../../steps/disk/ext4-files";
import { run } from "../../steps/programs/process";
import type { StepContext } from "../../steps/frame/context";

/** A line of the journal. */
export interface Entry {
  atMs: number;
  /** Id of the boot that it is of. */
  boot: string;
  /** The program that wrote it. */
  source: string;
  /** As of syslog: 3 is an error, what is less is worse. */
  priority: number;
  message: string;
}

const FIELDS = ["_BOOT_ID", "SYSLOG_IDENTIFIER", "PRIORITY", "MESSAGE"];
const JOURNALS = "/var/log/journal";

/**
 * Copies the journal out of a root file system, each file of it by itself.
 *
 * @param root as e2fsprogs address it
 * @returns how many files there were
 */
export async function copyJournal(root: string, folder: string): Promise<number> {
  let count = 0;
  for (const machine of await namesIn(root, JOURNALS)) {
    if (!/^[0-9a-f]{32}$/.test(machine)) continue;
    mkdirSync(join(folder, machine), { recursive: true });
    for (const name of await namesIn(root, `${JOURNALS}/${machine}`, "files")) {
      if (!/^[\w@.-]+\.journal~?$/.test(name)) continue;
      const copy = join(folder, machine, name);
      await debugfs(root, `dump ${JOURNALS}/${machine}/${name} ${copy}`);
      if (statSync(copy, { throwIfNoEntry: false })?.size) count += 1;
    }
  }
  return count;
}

/** Times are UTC wherever this runs, as they are in the appliance. */
async function journalctl(context: StepContext, folder: string, args: string[]): Promise<string> {
  const flags = ["--directory", folder, "--no-pager", "--quiet", ...args];
  const { stdout, stderr } = await run(context, "journalctl", flags, { env: { TZ: "UTC", LC_ALL: "C" } });
  const complaints = [
    ...new Set(stderr.split("\n").map((line) => line.replace(/.*\/(?=[^/]*\.journal)/, ""))),
  ];
  for (const complaint of complaints.filter(Boolean)) context.log(`journalctl: ${complaint}`);
  return stdout;
}

/** The whole journal as one reads it, oldest first. */
export const journalText = (context: StepContext, folder: string): Promise<string> =>
  journalctl(context, folder, ["--output", "short-iso"]);

/** A field as journalctl gives it: what is not all text as its bytes. */
type Field = string | number[] | undefined;

const textOf = (field: Field = "") =>
  typeof field === "string" ? field : Buffer.from(field).toString("latin1");

/** The whole journal for a program, oldest first. */
export async function journalEntries(context: StepContext, folder: string): Promise<Entry[]> {
  // Without --all, what is longer than 4 KiB is left out.
  const flags = ["--all", "--output", "json", `--output-fields=${FIELDS.join()}`];
  const lines = (await journalctl(context, folder, flags)).split("\n").filter(Boolean);
  return lines.map((line) => {
    const entry = JSON.parse(line) as Record<string, Field>;
    return {
      atMs: Number(entry.__REALTIME_TIMESTAMP) / 1000,
      boot: textOf(entry._BOOT_ID),
      source: textOf(entry.SYSLOG_IDENTIFIER),
      priority: Number(entry.PRIORITY ?? 6),
      message: textOf(entry.MESSAGE),
    };
  });
}
