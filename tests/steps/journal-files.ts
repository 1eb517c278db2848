import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KEEP_MOUNTS, OWN_MOUNTS } from "../own-mounts";
import { tool } from "../tools";

/** A line of a journal: who says what, and how bad it is (syslog(3), such as err). */
export type Said = [source: string, priority: string, text: string];

/** Id of the machine whose journal it is. */
export const MACHINE_ID = "0123456789abcdef0123456789abcdef";

/** systemd's own journald, one run of it a boot, where all that it writes to is this process's own. */
const SCRIPT = `${KEEP_MOUNTS} set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d
printf '[Journal]\\nReadKMsg=no\\nAudit=no\\n' >/run/systemd/journald.conf.d/test.conf
echo ${MACHINE_ID} >/run/machine-id
mount --bind /run/machine-id /etc/machine-id
for boot in "$1"/boot-*; do
  printf '%08d-0000-4000-8000-000000000000\\n' "\${boot##*-}" >/run/boot-id
  mount --bind /run/boot-id /proc/sys/kernel/random/boot_id
  /lib/systemd/systemd-journald >/dev/null 2>&1 &
  tries=0
  until [ -S /run/systemd/journal/io.systemd.journal ] || [ "$tries" -ge 300 ]; do sleep 0.1; tries=$((tries + 1)); done
  while IFS='|' read -r source priority text; do
    logger --socket /run/systemd/journal/dev-log --tag "$source" --priority "daemon.$priority" -- "$text"
  done <"$boot"
  journalctl --sync
  kill $!
  wait $! || :
  umount /proc/sys/kernel/random/boot_id
  rm -rf /run/systemd/journal/*
done
cp --sparse=always /run/log/journal/${MACHINE_ID}/* "$1/made"`;

/**
 * What an appliance has of a journal after some boots.
 *
 * @param folder for what is made on the way
 * @returns files by their path in the root file system
 */
export async function journalFiles(
  folder: string,
  boots: Said[][],
): Promise<Record<string, Buffer | string>> {
  const work = mkdtempSync(join(folder, "journal-"));
  mkdirSync(join(work, "made"));
  const text = (lines: Said[]) => lines.map((line) => `${line.join("|")}\n`).join("");
  for (const [index, lines] of boots.entries()) writeFileSync(join(work, `boot-${index + 1}`), text(lines));
  await tool("unshare", [...OWN_MOUNTS, "--", "sh", "-c", SCRIPT, "sh", work]);
  const made = readdirSync(join(work, "made")).map((name) => [
    `var/log/journal/${MACHINE_ID}/${name}`,
    readFileSync(join(work, "made", name)),
  ]);
  return { "etc/machine-id": `${MACHINE_ID}\n`, ...(Object.fromEntries(made) as Record<string, Buffer>) };
}
