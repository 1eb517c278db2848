import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../steps/programs/process";
import type { StepContext } from "../../steps/frame/context";
import type { Distribution } from "../../tools/setup/distribution.cjs";

/**
 * Releases whose own iPXE is older than 2021, and the first one after them with a newer: only that reads what UEFI firmware
 * was leased (iPXE, commit cd3de55ea), and with it the commands to try again.
 */
const NEWER: Record<string, string> = { bookworm: "trixie" };

/**
 * The source that a newer iPXE comes from, as a line of apt's: the same archive, a later release.
 *
 * @param archives those of the release itself, as lines
 * @returns undefined where the release's own iPXE will do
 */
export function newerIpxeSource(
  { codename, family }: Pick<Distribution, "codename" | "family">,
  archives: string[],
): string | undefined {
  const release = NEWER[codename];
  if (!release) return undefined;
  const [, options, uri] = /^deb (\[.*\] )?(\S+) /.exec(archives[0] ?? "") ?? [];
  return `deb ${options ?? `[signed-by=${family.keyring}] `}${uri ?? "http://deb.debian.org/debian"} ${release} main`;
}

/**
 * Fetches the newer iPXE, a package without dependencies for any architecture, with apt's own checks.
 *
 * @returns the package's file; undefined where none is needed, or where this machine's archive has no later release
 */
export async function fetchNewerIpxe(
  context: StepContext,
  from: Distribution,
  archives: string[],
): Promise<string | undefined> {
  const source = newerIpxeSource(from, archives);
  if (!source) return undefined;
  const folder = join(context.scratch, "newer-ipxe");
  for (const part of ["state/lists/partial", "cache/archives/partial"])
    await mkdir(join(folder, part), { recursive: true });
  await writeFile(join(folder, "sources.list"), `${source}\n`);
  const apart = [
    ...["-o", `Dir::State=${join(folder, "state")}`, "-o", "Dir::State::status=/dev/null"],
    ...["-o", `Dir::Cache=${join(folder, "cache")}`, "-o", "Acquire::Languages=none"],
    ...["-o", `Dir::Etc::SourceList=${join(folder, "sources.list")}`],
    ...["-o", "Dir::Etc::SourceParts=/dev/null"],
    ...["-o", "APT::Sandbox::User=root", "-o", "APT::Update::Error-Mode=any"],
  ];
  try {
    await run(context, "apt-get", [...apart, "update"]);
    await run(context, "apt-get", [...apart, "download", "ipxe"], { cwd: folder });
  } catch (fault) {
    context.signal.throwIfAborted();
    context.log(
      `the demo keeps the iPXE of ${from.name}, which does not try again on UEFI where the link blocks for a while: ${(fault as Error).message.split("\n")[0]}`,
    );
    return undefined;
  }
  const file = (await readdir(folder)).find((name) => name.endsWith(".deb"));
  return file && join(folder, file);
}

/** What has mmdebstrap install a package's file over the archive's. */
export const installHooks = (file: string): string[] => [
  `--customize-hook=copy-in "${file}" /tmp`,
  `--customize-hook=chroot "$1" sh -c 'dpkg --install /tmp/*.deb && rm /tmp/*.deb'`,
];
