import * as z from "zod";
import { readTable, rootOf, SECTOR, type Partition } from "../steps/disk/partitions";
import { run, saidBy } from "../steps/programs/process";
import type { StepContext } from "../steps/frame/context";
import { StepError } from "../steps/frame/step-error";
import { ServedImage } from "../steps/contracts/image";
import { MIB } from "../stack/mib";

/** What an image says of itself: the site layer's `site.env` (files/site.env). */
const Site = z.object({
  BOOTSTRAP_VERSION: z.string(),
  TALOS_VERSION: z.string(),
  APPLIANCE_CIDR: z.string(),
  MINIPC_MAC: z.string(),
  MINIPC_IP: z.string(),
  UPLINK: z.enum(["true", "false"]),
  OFFLINE: z.literal("true").optional(),
});

/** @returns what a site.env says; undefined where it does not name a mini-PC */
export function readSite(text: string): z.output<typeof Site> | undefined {
  return Site.safeParse(Object.fromEntries(text.split("\n").map((line) => line.split("=", 2)))).data;
}

/** What the layer of images says of itself, its images.json. */
const Images = z.object({ images: z.array(ServedImage) });

export interface ImageFacts {
  bootstrapVersion: string;
  talosVersion: string;
  /** The appliance's address on the isolated link, with its prefix length. */
  applianceCidr: string;
  minipcMac: string;
  minipcIp: string;
  /** Whether the mini-PC gets NAT and DNS. */
  uplink: boolean;
  /** References of the images that the appliance serves; unset where its stack is not offline. */
  images?: string[];
  /** The partitions in the order in which they lie, as one reads them: `bootstrap-site, 1 MiB`. */
  partitions: string[];
}

/** The types of the UEFI specification and of the Discoverable Partitions Specification that a base may have. */
const TYPES: Record<string, string> = {
  "C12A7328-F81F-11D2-BA4B-00A0C93EC93B": "EFI system partition",
  "21686148-6449-6E6F-744E-656564454649": "BIOS boot partition",
  "BC13C2FF-59E6-4262-A352-B275FD6F7172": "extended boot loader partition",
};

function describe({ name, type, size, number }: Partition, root: Partition): string {
  const what =
    name ?? (number === root.number ? "root" : (TYPES[type.toUpperCase()] ?? `partition ${number}`));
  return `${what}, ${Math.ceil((size * SECTOR) / MIB)} MiB`;
}

/** An image's partitions, and how to read the files of its site layer and of its layer of images, if it has one. */
async function openImage(context: StepContext, image: string) {
  const reading = `reading the partitions of ${image}`;
  const damaged = (found: string) =>
    new StepError(reading, found, "Copy the image anew: this one is damaged, or no image of this project");
  const whole = await run(context, "sfdisk", ["--verify", image]).catch(
    saidBy(() => {
      throw damaged("it has no partition table");
    }),
  );
  // sfdisk(8) ends well with a spoilt backup too; its last line then counts the errors.
  if (!/^No errors detected/m.test(whole.stdout))
    throw damaged(`${whole.stdout} ${whole.stderr}`.trim().replace(/\s*\n\s*/g, " "));
  // sfdisk(8) takes a GPT that reaches beyond the end of its disk for the table of DOS that guards it.
  const { partitions } = await readTable(context, image).catch(() => {
    throw damaged("it has no whole GPT: cut short, or a disk of something else");
  });
  const [netboot, site] = ["bootstrap-netboot", "bootstrap-site"].map((name) => {
    const found = partitions.find((partition) => partition.name === name);
    if (!found) throw damaged(`there is no partition ${name}`);
    return found;
  }) as [Partition, Partition];
  const unsquash = (layer: Partition, mode: "-ll" | "-cat", ...files: string[]) =>
    run(context, "unsquashfs", [mode, "-offset", String(layer.start * SECTOR), image, ...files]).catch(
      saidBy(() => {
        throw damaged(`the layer ${layer.name} cannot be read`);
      }),
    );
  const images = partitions.find(({ name }) => name === "bootstrap-images");
  for (const layer of [netboot, ...(images ? [images] : [])]) await unsquash(layer, "-ll");
  const siteFile = async (name: string) => (await unsquash(site, "-cat", name)).stdout;
  const imagesFile = async (name: string) => images && (await unsquash(images, "-cat", name)).stdout;
  return { partitions, damaged, siteFile, imagesFile };
}

type Opened = Awaited<ReturnType<typeof openImage>>;

/** What the layer of images lists, if there is one. */
async function listedImages({ damaged, imagesFile }: Opened): Promise<ServedImage[] | undefined> {
  const text = await imagesFile("images.json");
  if (text === undefined) return undefined;
  try {
    return Images.parse(JSON.parse(text)).images;
  } catch {
    throw damaged("the images.json of the layer bootstrap-images lists no images");
  }
}

/**
 * Reads what an image serves to its mini-PC.
 *
 * @returns bootScript: what iPXE runs, its boot.ipxe; images: what the layer of images has, unset where the stack is not offline
 * @throws StepError when the table is damaged, a layer is missing or cannot be read
 */
export async function servedBy(
  context: StepContext,
  image: string,
): Promise<{ bootScript: string; images?: ServedImage[] }> {
  const opened = await openImage(context, image);
  return { bootScript: await opened.siteFile("http/boot.ipxe"), images: await listedImages(opened) };
}

/**
 * Reads a raw image's partition table and its site layer, without booting it and without root.
 *
 * @throws StepError when the table is damaged, a layer is missing or cannot be read
 */
export async function imageFacts(context: StepContext, image: string): Promise<ImageFacts> {
  const opened = await openImage(context, image);
  const { partitions, damaged, siteFile } = opened;
  const stdout = await siteFile("site.env");
  const data = readSite(stdout);
  if (!data) throw damaged("its site.env does not name a mini-PC");
  if (data.OFFLINE && !partitions.some(({ name }) => name === "bootstrap-images"))
    throw damaged("there is no partition bootstrap-images, and its stack is offline");
  const images = await listedImages(opened);
  const root = rootOf({ partitions });
  return {
    bootstrapVersion: data.BOOTSTRAP_VERSION,
    talosVersion: data.TALOS_VERSION,
    applianceCidr: data.APPLIANCE_CIDR,
    minipcMac: data.MINIPC_MAC,
    minipcIp: data.MINIPC_IP,
    uplink: data.UPLINK === "true",
    images: images?.map(({ reference }) => reference),
    partitions: partitions.map((partition) => describe(partition, root)),
  };
}
