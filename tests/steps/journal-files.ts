import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KEEP_MOUNTS, OWN_MOUNTS } from "../own-mounts";
import { tool, TOP } from "../tools";

/** A line of a journal: who says what, and how bad it is (syslog(3), such as err). */
export type Said = [source: string, priority: string, text: string];

/** Id of the machine whose journal it is. */
export const MACHINE_ID = "0123456789abcdef0123456789abcdef";

/** systemd's own journald with the appliance's config, one run of it a boot, where all that it writes to is this process's own. */
const SCRIPT = `${KEEP_MOUNTS} set -e
# journald does not start without control groups, which a chroot may lack.
case $(stat -f -c %T /sys/fs/cgroup 2>/dev/null) in
  cgroup2fs | tmpfs) ;;
  *)
    mount -t tmpfs tmpfs /sys
    mkdir -p /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    ;;
esac
conf=/run/systemd/journald.conf.d
mount -t tmpfs tmpfs /run
mount -t tmpfs -o size=64M tmpfs /var/log
mkdir -p $conf
cp "$2" $conf/1.conf
printf '[Journal]\\nReadKMsg=no\\nAudit=no\\n' >$conf/2.conf
echo ${MACHINE_ID} >/run/machine-id
mount --bind /run/machine-id /etc/machine-id
for boot in "$1"/boot-*; do
  mkdir -p /run/systemd/journal
  # As of systemd-journal-flush.service: from here on it writes to the disk.
  : >/run/systemd/journal/flushed
  printf '%08d-0000-4000-8000-000000000000\\n' "\${boot##*-}" >/run/boot-id
  mount --bind /run/boot-id /proc/sys/kernel/random/boot_id
  /lib/systemd/systemd-journald >/dev/null 2>&1 &
  tries=0
  until [ -S /run/systemd/journal/io.systemd.journal ] || [ "$tries" -ge 6000 ]; do sleep 0.1; tries=$((tries + 1)); done
  while IFS='|' read -r source priority text; do
    logger --socket /run/systemd/journal/dev-log --tag "$source" --priority "daemon.$priority" -- "$text"
  done <"$boot"
  head -c "$3" /dev/urandom | base64 --wrap 7000 | logger --socket /run/systemd/journal/dev-log --size 8KiB --tag noise
  journalctl --sync
  kill $!
  wait $! || :
  umount /proc/sys/kernel/random/boot_id
  rm -rf /run/systemd/journal
done
cp --sparse=always /var/log/journal/${MACHINE_ID}/* "$1/made"`;

/**
 * What an appliance has of a journal after some boots.
 *
 * @param folder for what is made on the way
 * @param noiseBytes that are logged at the end of each boot besides
 * @returns files by their path in the root file system
 */
export async function journalFiles(
  folder: string,
  boots: Said[][],
  noiseBytes = 0,
): Promise<Record<string, Buffer>> {
  const work = mkdtempSync(join(folder, "journal-"));
  mkdirSync(join(work, "made"));
  const text = (lines: Said[]) => lines.map((line) => `${line.join("|")}\n`).join("");
  for (const [index, lines] of boots.entries()) writeFileSync(join(work, `boot-${index + 1}`), text(lines));
  const conf = join(TOP, "packer/appliance/journald.conf");
  await tool("unshare", [...OWN_MOUNTS, "--", "sh", "-c", SCRIPT, "sh", work, conf, String(noiseBytes)]);
  const made = readdirSync(join(work, "made")).map((name): [string, Buffer] => [
    `var/log/journal/${MACHINE_ID}/${name}`,
    readFileSync(join(work, "made", name)),
  ]);
  return Object.fromEntries(made);
}
