import { MIB } from "../stack/mib";

/** An image as far as a preview knows it. */
export interface ListedImage {
  reference: string;
  /** Bytes that are sent for it, unset while no registry was asked. */
  bytes?: number;
  /** Whether it has been fetched here already. */
  isHere: boolean;
}

const named = (images: readonly ListedImage[]) => images.map(({ reference }) => `  ${reference}`);
/** As in `1 image` or `10 images`. */
export const counted = (images: readonly unknown[]) =>
  images.length === 1 ? "1 image" : `${images.length} images`;

/** What a preview says of the images that an offline stack's appliance serves: how many, how large, and which are new here. */
export function imagesSentence(images: readonly ListedImage[]): string {
  const isSized = images.every(({ bytes }) => bytes !== undefined);
  const total = images.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  const size = isSized
    ? `, ${Math.ceil(total / MIB)} MiB at most, since some share their layers`
    : ", whose sizes up asks of their registries";
  const fresh = images.filter(({ isHere }) => !isHere);
  const served = `The appliance serves ${counted(images)}${size}.`;
  if (fresh.length === 0) return `${served} All have been fetched here before.`;
  return [`${served} To be fetched:`, ...named(fresh)].join("\n");
}
