import type * as z from "zod";
import * as contract from "./contracts/image-digests";
import type { Image } from "./contracts/image";
import { imageReference, servedRepository, type ImageReference } from "../stack/image-reference";
import { digestOf, readManifest } from "./registry/manifest";
import { RegistryFault } from "./registry/skopeo";
import { manifestBy, manifestOf } from "./registry/upstream";
import { recordDigests, recordedDigest } from "./store/records";
import { runStep } from "./frame/main";
import { together } from "./frame/together";
import type { StepContext } from "./frame/context";
import { StepError } from "./frame/step-error";

type Request = z.output<typeof contract.Input>;

/** Registries answer some requests at once, and refuse many. */
const AT_ONCE = 4;
const doing = (reference: string) => `asking for the image ${reference}`;

/** What the recorded digest of a tag is, and a sentence if the tag names another one by now. */
async function digestOfTag(context: StepContext, request: Request, image: ImageReference) {
  const { reference, repository, tag } = image;
  const known = recordedDigest(request, `docker://${reference}`);
  const bytes = await manifestOf(context, repository, `:${tag}`);
  const now = digestOf(bytes);
  if (!known) return { digest: now, bytes };
  if (known.digest === now) return { digest: now, bytes };
  return {
    digest: known.digest,
    bytes: await manifestBy(context, repository, known.digest, doing(reference)),
    warning:
      `the tag of ${reference} has moved: it names ${now} now, and ${known.file} has ${known.digest}, which is taken. ` +
      `To take the new one, remove its line from ${known.file}`,
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
  const top: { digest: string; bytes: Buffer; warning?: string } = image.digest
    ? {
        digest: image.digest,
        bytes: await manifestBy(context, image.repository, image.digest, doing(reference)),
      }
    : await digestOfTag(context, request, image);
  const first = readManifest(top.bytes);
  const own =
    "amd64" in first ? await manifestBy(context, image.repository, first.amd64, doing(reference)) : top.bytes;
  const read = "amd64" in first ? readManifest(own) : first;
  if (!("image" in read))
    throw new StepError(
      doing(reference),
      "fault" in read ? read.fault : "its index names another index",
      "Name an image that runs on linux/amd64",
    );
  const digest = digestOf(own);
  const named: z.output<typeof Image> = {
    reference,
    repository: servedRepository(image),
    tag: image.tag,
    digest,
    index: image.digest !== undefined && image.digest !== digest ? image.digest : undefined,
    bytes: read.image.reduce((sum, { size }) => sum + size, own.length),
  };
  return { image: named, tagged: top.digest, isTag: image.digest === undefined, warning: top.warning };
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
  const tags = found.filter(({ isTag }) => isTag);
  const digests = Object.fromEntries(
    tags.map(({ image, tagged }) => [`docker://${image.reference}`, tagged]),
  );
  await recordDigests(context, request, digests);
  const warnings = found.flatMap(({ warning }) => warning ?? []);
  const images = found.map(({ image }) => image);
  const bytes = images.reduce((sum, image) => sum + image.bytes, 0);
  context.log(
    `${images.length} images of ${Math.round(bytes / (1 << 20))} MiB, shared layers counted for each`,
  );
  return { images, warnings };
});
