import { mkdir } from "node:fs/promises";
import type { ServedImage } from "../contracts/image";
import { imageReference } from "../../stack/image-reference";
import { follow, figure } from "../frame/progress";
import { needRoom, writesTo } from "../frame/room";
import type { StepContext } from "../frame/context";
import { together } from "../frame/together";
import { StepError } from "../frame/step-error";
import { withRegistry, type LocalRegistry } from "./local-registry";
import { readManifest, type Blob } from "./manifest";
import { RegistryFault, skopeo, sourceFlags } from "./skopeo";
import { manifestBy } from "./upstream";
import type { ImageStore } from "./store";

/** An image that is fetched, with its blobs. */
interface Fetching {
  image: ServedImage;
  blobs: Blob[];
}

/** skopeo itself fetches the layers of one image beside each other. */
const AT_ONCE = 3;

const doing = ({ reference }: ServedImage) => `fetching the image ${reference}`;

/** A full disk is told as that of any step. */
function refuseFull({ complaint }: LocalRegistry): void {
  if (/no space left|quota exceeded/i.test(complaint())) throw new Error(complaint());
}

/** One line for whoever has to do something about it. */
function told(image: ServedImage, thrown: unknown): never {
  if (!(thrown instanceof RegistryFault)) throw thrown;
  const { words, help } = thrown.fault;
  const next = "Run the same again to go on from here; what was fetched is kept";
  throw new StepError(doing(image), words, help ? `${help}. ${next}` : next, { cause: thrown.cause });
}

/** The blobs of an image, by its manifest, which is asked for where it is not there. */
async function blobsOf(context: StepContext, image: ServedImage): Promise<Blob[]> {
  const upstream = imageReference(image.reference)!;
  const read = readManifest(await manifestBy(context, upstream.repository, image.digest, doing(image)));
  if ("image" in read) return read.image;
  throw new StepError(doing(image), "its manifest is that of no image", "Run the same again");
}

/** Bytes that are there of blobs, each counted once. */
const bytesThere = (store: ImageStore, blobs: Map<string, Blob>) =>
  [...blobs.values()].reduce((sum, { digest }) => sum + (store.sizeOf(digest) ?? 0), 0);

/** Where no index says it, only the image's own config tells what it is for. */
function refuseOther(store: ImageStore, image: ServedImage): void {
  const architecture = store.architectureOf(image.digest);
  if (architecture && architecture !== "amd64")
    throw new StepError(doing(image), `it is for ${architecture}`, "Name an image that runs on linux/amd64");
}

/** Copies one image into the store, and checks that all of it came. */
async function copy(
  context: StepContext,
  store: ImageStore,
  registry: LocalRegistry,
  { image, blobs }: Fetching,
  done: () => number,
): Promise<void> {
  // Another reference to it came first.
  if (store.has(image.digest)) return;
  const { repository } = imageReference(image.reference)!;
  await store.sweep(image.repository);
  await store.share(image.repository, blobs);
  const [from, to] = [`${repository}@${image.digest}`, `${registry.address}/${image.repository}`];
  const flags = [
    "--preserve-digests",
    "--dest-tls-verify=false",
    ...sourceFlags(repository, "--src-tls-verify"),
  ];
  // A tag of its own for each digest: the layer's tags are written when it is packed.
  const tag = image.digest.slice("sha256:".length, "sha256:".length + 32);
  const whole = new Map(blobs.map((blob) => [blob.digest, blob]));
  let most = bytesThere(store, whole);
  const helped = async () => {
    refuseFull(registry);
    // skopeo begins anew what it had half uploaded.
    await store.sweep(image.repository);
    const moved = bytesThere(store, whole) > most;
    most = bytesThere(store, whole);
    return moved;
  };
  const args = ["copy", ...flags, `docker://${from}`, `docker://${to}:${tag}`];
  await skopeo(context, args, image.reference, { done }, helped);
  refuseOther(store, image);
  if (store.has(image.digest)) return;
  throw new StepError(doing(image), "what came is not all of it", "Run the same again to go on from here");
}

/** Indexes are small, and no other image of theirs is there: they are kept by hand, since registries refuse such. */
async function keepIndexes(context: StepContext, store: ImageStore, image: ServedImage): Promise<void> {
  const upstream = imageReference(image.reference)!;
  for (const index of image.indexes ?? [])
    if (store.sizeOf(index) === undefined)
      await store.keep(await manifestBy(context, upstream.repository, index, doing(image)));
}

/**
 * Fetches what the store lacks of images. Blobs that images share are fetched once, by the first of them.
 *
 * @throws StepError with the first fault, when those that were at work have ended
 */
export async function fillStore(
  context: StepContext,
  store: ImageStore,
  images: readonly ServedImage[],
): Promise<void> {
  await mkdir(store.folder, { recursive: true });
  writesTo(store.folder);
  for (const image of images)
    await keepIndexes(context, store, image).catch((thrown: unknown) => told(image, thrown));
  const here = images.filter(({ digest }) => store.has(digest));
  for (const image of here) refuseOther(store, image);
  const lacking = images.filter((image) => !here.includes(image));
  if (lacking.length === 0) return;
  const fetching = await together(context, lacking, AT_ONCE, async (image, within): Promise<Fetching> => {
    const blobs = store.blobsOf(image.digest) ?? blobsOf(within, image);
    return { image, blobs: await Promise.resolve(blobs).catch((thrown: unknown) => told(image, thrown)) };
  });
  const all = new Map(fetching.flatMap(({ blobs }) => blobs.map((blob) => [blob.digest, blob])));
  const total = [...all.values()].reduce((sum, { size }) => sum + size, 0);
  await needRoom(store.folder, total - bytesThere(store, all));
  const repositories = [...new Set(fetching.map(({ image }) => image.repository))];
  const done = () =>
    bytesThere(store, all) + repositories.reduce((sum, each) => sum + store.uploading(each), 0);
  await withRegistry(context, store.folder, async (registry) => {
    const stopTelling = follow(context, () => `${figure(done(), total)} of ${lacking.length} images`);
    /** Who fetches a blob, or into a repository: whoever else does waits. */
    const owners = new Map<string, Promise<unknown>>();
    const work = async (each: Fetching, within: StepContext) => {
      // What is half uploaded to a repository belongs to one image at a time.
      const names = [each.image.repository, ...each.blobs.map(({ digest }) => digest)];
      const before = names.flatMap((name) => owners.get(name) ?? []);
      const copying = Promise.allSettled(before)
        .then(() => copy(within, store, registry, each, done))
        .catch((thrown: unknown) => told(each.image, thrown));
      for (const name of names) owners.set(name, copying);
      await copying;
    };
    await together(context, fetching, AT_ONCE, work).finally(stopTelling);
  });
}
