import { open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type * as z from "zod";
import * as contract from "./contracts/compress";
import { refuseAltered } from "./store/altered";
import { listChecksums } from "./store/checksums";
import { COMPRESSORS } from "./disk/compressors";
import { intact, manifestOf, partialBeside, publish, verified } from "./store/files";
import { concatenate, Members, type Range } from "./disk/members";
import { claim } from "./store/owner";
import { readTable, SECTOR } from "./disk/partitions";
import { reportProgress } from "./frame/progress";
import type { StepContext } from "./frame/context";
import { runStep } from "./frame/main";
import { StepError } from "./frame/step-error";
import { MIB } from "../stack/mib";

type Request = z.output<typeof contract.Input>;

/** Where the parts of an image lie: the partition table, the base's partitions, the netboot layer, the site layer to the end. */
async function rangesOf(
  context: StepContext,
  { path }: Request["image"],
  end: number,
): Promise<Record<"table" | "base" | "netboot" | "site", Range>> {
  const { partitions } = await readTable(context, path);
  const startOf = (name: string) =>
    (partitions.find((partition) => partition.name === name)?.start ?? NaN) * SECTOR;
  const base = (partitions[0]?.start ?? NaN) * SECTOR;
  const [netboot, site] = [startOf("bootstrap-netboot"), startOf("bootstrap-site")];
  if (!(base < netboot && netboot < site && site < end))
    throw new StepError(
      `compressing ${path}`,
      "its layers are not where they should be",
      "Run pulumi up again",
    );
  return {
    table: { start: 0, end: base },
    base: { start: base, end: netboot },
    netboot: { start: netboot, end: site },
    site: { start: site, end },
  };
}

/** An image that was touched since its step made it must not be compressed, which would give it a checksum that fits. */
function expectUntouched({ path, sha256 }: Request["image"]): number {
  const stamp = intact(path);
  if (stamp?.sha256 === sha256) return stamp.bytes;
  throw new StepError(`reading ${path}`, "it is not the image that was made for this", "Run pulumi up again");
}

void runStep("compress", contract, async (request, context) => {
  await claim(request.path, request.stack, (line) => context.log(line));
  const made = await verified(request.path, request.key);
  if (made) {
    await listChecksums(dirname(request.path));
    return manifestOf(request.path, made);
  }

  const { image, format, layers, cache } = request;
  const bytes = expectUntouched(image);
  const checked = refuseAltered(context, image);
  // Its fault shows when all is read.
  checked.catch(() => undefined);
  const ranges = await rangesOf(context, image, bytes);
  const members = new Members(context, format);
  const source = await open(image.path);
  const writeMembers = async (range: Range, path: string) => {
    const target = await open(path, "wx", 0o600);
    await members.write(source, range, target).finally(() => target.close());
    return path;
  };
  const kept = Object.entries(layers).map(([name, { key }]) => ({
    range: ranges[name as keyof typeof layers],
    path: join(cache, `${name}-${key}${COMPRESSORS[format].ending}`),
    key,
  }));
  const missing = [];
  for (const one of kept) if (!(await verified(one.path, one.key))) missing.push(one);
  const own = [ranges.table, ranges.site];
  const total = [...own, ...missing.map(({ range }) => range)].reduce(
    (sum, { start, end }) => sum + end - start,
    0,
  );
  const stopTelling = reportProgress(context, `of ${basename(request.path)}`, () => members.done, total);
  try {
    for (const { range, path, key } of missing)
      await publish(await writeMembers(range, await partialBeside(path)), path, key);
    const [table, site] = [join(context.scratch, "table"), join(context.scratch, "site")];
    await Promise.all([writeMembers(ranges.table, table), writeMembers(ranges.site, site)]);
    const partial = await partialBeside(request.path);
    const sha256 = await concatenate(context, [table, ...kept.map(({ path }) => path), site], partial);
    await checked;
    // Nor while it was read.
    expectUntouched(image);
    const stamp = await publish(partial, request.path, request.key, { sha256 });
    await listChecksums(dirname(request.path));
    context.log(`${Math.round(stamp.bytes / MIB)} MiB of ${Math.round(bytes / MIB)}: ${request.path}`);
    return manifestOf(request.path, stamp);
  } finally {
    stopTelling();
    await source.close();
  }
});
