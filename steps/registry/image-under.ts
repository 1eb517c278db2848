import { digestOf, NOT_FOR_AMD64, readManifest, type Blob, type Unfit } from "./manifest";

/** No index in use comes near it. */
const MOST_LEVELS = 5;

/** An image, and the way to it from what a reference names. */
export interface Found {
  manifest: Buffer;
  blobs: Blob[];
  /** Digests of the indexes above it, the one at the top first. */
  indexes: string[];
}

/**
 * Finds the image for linux/amd64 under a manifest, which may be its own, or that of an index, which may name further indexes.
 *
 * @param fetched brings a manifest by its digest
 */
export async function imageUnder(
  top: Buffer,
  fetched: (digest: string) => Promise<Buffer>,
  levels = MOST_LEVELS,
): Promise<Found | Unfit> {
  const read = readManifest(top);
  if ("image" in read) return { manifest: top, blobs: read.image, indexes: [] };
  if ("fault" in read) return read;
  if (levels === 0)
    return {
      fault: `it is below more than ${MOST_LEVELS} indexes`,
      help: "Name the image by its own digest",
    };
  let unfit: Unfit | undefined;
  for (const digest of read.candidates) {
    const found = await imageUnder(await fetched(digest), fetched, levels - 1);
    if ("manifest" in found) return { ...found, indexes: [digestOf(top), ...found.indexes] };
    unfit ??= found;
  }
  return unfit ?? NOT_FOR_AMD64;
}
