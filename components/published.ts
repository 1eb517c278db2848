import type { StackConfig } from "../stack/config/keys";
import type { Image } from "./Appliance";
import type { ServedImage } from "../steps/contracts/image";
import type { RehearsalSummary } from "./Rehearsal";

export interface Published {
  image: Image;
  compressed?: Image;
  /** The images that the appliance serves, of an offline stack. */
  images?: ServedImage[];
  rehearsal: RehearsalSummary;
}

const nameOf = ({ path }: Image) => path.slice(path.lastIndexOf("/") + 1);

/** The default of the config key: its objects lie where the seed has them. */
const SEED_NAME = "bootstrap-pxe";

/** Folder of an artifact's objects in the bucket. Two of one version share none: each has a `SHA256SUMS`. */
export const objectFolder = ({
  bootstrapVersion,
  artifactName,
}: Pick<StackConfig, "bootstrapVersion" | "artifactName">) =>
  ["bootstrap", bootstrapVersion, ...(artifactName === SEED_NAME ? [] : [artifactName])].join("/");

/** What lies in the bucket: the compressed image where there is one, else the image. */
export const artifactOf = ({ image, compressed }: Pick<Published, "image" | "compressed">) => ({
  ...(compressed ?? image),
  name: nameOf(compressed ?? image),
});

/** `SHA256SUMS` in the form of sha256sum(1): the artifact, and the image that it unpacks to. */
export function checksumList({ image, compressed }: Pick<Published, "image" | "compressed">): string {
  return [image, ...(compressed ? [compressed] : [])]
    .map((file) => `${file.sha256}  ${nameOf(file)}\n`)
    .join("");
}

/** `manifest.json`: what was made, for which mini-PC, and what it did in its rehearsal. No secret is in it. */
export function objectManifest(
  config: StackConfig,
  { image, compressed, images, rehearsal }: Published,
): string {
  const entry = (file: Image) => ({ name: nameOf(file), sha256: file.sha256, bytes: file.bytes });
  const { accelerator, seconds, steps, proved } = rehearsal;
  const manifest = {
    bootstrapVersion: config.bootstrapVersion,
    talosVersion: config.talosVersion,
    minipcMac: config.minipcMac,
    minipcIp: config.minipcIp,
    applianceCidr: config.applianceCidr.cidr,
    image: entry(image),
    compressed: compressed && entry(compressed),
    servedImages: images?.map(({ reference, digest }) => ({ reference, digest })),
    rehearsed: { accelerator, seconds, steps: steps.map(({ step }) => step), proved },
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}
