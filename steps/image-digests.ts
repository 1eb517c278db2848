import type * as z from "zod";
import * as contract from "./contracts/image-digests";
import type { ServedImage } from "./contracts/image";
import { imageReference, servedRepository, type ImageReference } from "../stack/image-reference";
import { imageUnder } from "./registry/image-under";
import { digestOf } from "./registry/manifest";
import { RegistryFault } from "./registry/skopeo";
import { ImageStore } from "./registry/store";
import { manifestBy, manifestOf } from "./registry/upstream";
import type { Fault } from "./store/transfer.cjs";
import { digestIn, recordDigests } from "./store/records";
import { runStep } from "./frame/main";
import { together } from "./frame/together";
import type { StepContext } from "./frame/context";
import { StepError } from "./frame/step-error";

type Request = z.output<typeof contract.Input>;

/** Registries answer some requests at once, and refuse many. */
const AT_ONCE = 4;
/** What a reference names at the top: an image's manifest, or an index. */
interface Named {
  digest: string;
  bytes: Buffer;
  /** The URL that it is to be recorded by; unset, it is known, or its reference names its digest. */
  record?: string;
  /** A sentence, if a tag names something else by now. */
  warning?: string;
}

const doing = (reference: string) => `asking for the image ${reference}`;

/** A manifest by its digest: the one that is here, or the registry's, which is kept here. */
async function manifestFor(context: StepContext, request: Request, image: ImageReference, digest: string) {
  const store = new ImageStore(request.store);
  const here = store.manifest(digest);
  if (here) return here;
  const bytes = await manifestBy(context, image.repository, digest, doing(image.reference));
  await store.keep(bytes);
  return bytes;
}

/** Whether a fault is the network's or the registry's own, which says nothing of the image. */
const saysNothing = ({ status }: Fault) => status === undefined || status >= 500;

const urlOf = (place: string) => `docker://${place}`;

/**
 * The digest that is known of a tag. A record counts for the place that it came from alone, since what a mirror or a stand-in
 * has may be another image. What the checkout itself has of a reference counts wherever the image comes from.
 */
const knownOf = ({ lockFile, recordFile }: Request, reference: string, places: readonly string[]) =>
  digestIn(lockFile, [...places, reference].map(urlOf)) ?? digestIn(recordFile, places.map(urlOf));

/** What is recorded and was fetched of a tag, where nobody answers. */
function withoutAnswer(
  context: StepContext,
  request: Request,
  { reference }: ImageReference,
  thrown: unknown,
) {
  if (!(thrown instanceof RegistryFault) || !saysNothing(thrown.fault)) throw thrown;
  const known = knownOf(request, reference, thrown.places);
  const bytes = known && new ImageStore(request.store).manifest(known.digest);
  if (!bytes) throw thrown;
  context.log(`${reference} is taken as it was recorded, since its registry does not answer`);
  return { digest: known.digest, bytes };
}

/** The recorded digest of a tag, or what it names now, and a sentence if the two differ. */
async function digestOfTag(context: StepContext, request: Request, image: ImageReference): Promise<Named> {
  const { reference, repository, tag } = image;
  let answer: Awaited<ReturnType<typeof manifestOf>>;
  try {
    answer = await manifestOf(context, repository, `:${tag}`);
  } catch (thrown) {
    return withoutAnswer(context, request, image, thrown);
  }
  const { bytes, place } = answer;
  const now = digestOf(bytes);
  const known = knownOf(request, reference, [place]);
  if (!known || known.digest === now) {
    await new ImageStore(request.store).keep(bytes);
    return { digest: now, bytes, record: known ? undefined : urlOf(place) };
  }
  const { digest, file, url } = known;
  const moved = `the tag of ${reference} has moved: it names ${now} now, and ${file} has ${digest}`;
  const toTakeIt = `To take the new one, remove the line of ${url} from ${file}`;
  return {
    digest,
    bytes: await manifestFor(context, request, image, digest).catch((thrown: unknown) => {
      if (!(thrown instanceof RegistryFault) || thrown.fault.status !== 404) throw thrown;
      throw new StepError(doing(reference), `${moved}, which ${place} does not have`, toTakeIt, {
        cause: thrown,
      });
    }),
    warning: `${moved}, which is taken. ${toTakeIt}, and run pulumi up --replace '**::images-digests'`,
  };
}

/** Finds out which image a reference means on the mini-PC, and how large it is. */
async function resolveImage(context: StepContext, request: Request, reference: string) {
  const image = imageReference(reference);
  if (!image)
    throw new StepError(
      "reading the list of images",
      `${reference} is no reference to an image`,
      "Correct it where it is named",
    );
  const top: Named = image.digest
    ? { digest: image.digest, bytes: await manifestFor(context, request, image, image.digest) }
    : await digestOfTag(context, request, image);
  const found = await imageUnder(top.bytes, (digest) => manifestFor(context, request, image, digest));
  if ("fault" in found) throw new StepError(doing(reference), found.fault, found.help);
  const { manifest, blobs, indexes } = found;
  const named: ServedImage = {
    reference,
    repository: servedRepository(image),
    tag: image.tag,
    digest: digestOf(manifest),
    indexes: image.digest !== undefined && indexes.length > 0 ? indexes : undefined,
    bytes: blobs.reduce((sum, { size }) => sum + size, manifest.length),
  };
  return { image: named, top };
}

/** One line for whoever has to do something about it. */
function told(reference: string, thrown: unknown): never {
  if (!(thrown instanceof RegistryFault)) throw thrown;
  const { words, help } = thrown.fault;
  throw new StepError(doing(reference), words, help || "Run the same again", { cause: thrown.cause });
}

void runStep("image-digests", contract, async (request, context) => {
  const found = await together(context, request.images, AT_ONCE, (reference, within) =>
    resolveImage(within, request, reference).catch((thrown: unknown) => told(reference, thrown)),
  );
  const tags = found.flatMap(({ top: { record, digest } }) => (record ? [[record, digest] as const] : []));
  await recordDigests(context, request, Object.fromEntries(tags));
  const warnings = found.flatMap(({ top }) => top.warning ?? []);
  const images = found.map(({ image }) => image);
  const bytes = images.reduce((sum, image) => sum + image.bytes, 0);
  context.log(
    `${images.length} images of ${Math.round(bytes / (1 << 20))} MiB, shared layers counted for each`,
  );
  return { images, warnings };
});
