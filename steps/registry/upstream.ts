import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";
import { digestOf } from "./manifest";
import { RegistryFault, skopeo, sourceFlags } from "./skopeo";
import { placeAsked } from "./skopeo-words";

/** No manifest is nearly so large (distribution refuses those above 4 MiB). */
const MOST_MANIFEST_BYTES = 4 << 20;

/** A manifest, just as its registry has it. */
interface Answer {
  bytes: Buffer;
  /** What answered, as `HOST/NAME:TAG`: the image's own registry, or what registries.conf(5) names for it. */
  place: string;
}

/**
 * Asks for a manifest.
 *
 * @param at `:TAG` or `@DIGEST`
 * @throws RegistryFault
 */
export async function manifestOf(context: StepContext, repository: string, at: string): Promise<Answer> {
  const flags = ["--raw", ...sourceFlags(repository, "--tls-verify")];
  const args = ["--debug", "inspect", ...flags, `docker://${repository}${at}`];
  const places: string[] = [];
  const options = {
    encoding: null as never,
    maxBuffer: MOST_MANIFEST_BYTES,
    onLine: (line: string) => void places.push(...[placeAsked(line) ?? []].flat()),
  };
  try {
    const { stdout } = await skopeo(context, args, repository + at, options);
    return { bytes: stdout as unknown as Buffer, place: places.at(-1) ?? repository + at };
  } catch (thrown) {
    if (thrown instanceof RegistryFault) thrown.places = [...new Set(places)];
    throw thrown;
  }
}

/**
 * A manifest by its digest, which its bytes have to have.
 *
 * @param doing what a fault says was being done
 */
export async function manifestBy(context: StepContext, repository: string, digest: string, doing: string) {
  const { bytes } = await manifestOf(context, repository, `@${digest}`);
  if (digestOf(bytes) === digest) return bytes;
  throw new StepError(
    doing,
    `its manifest has the digest ${digestOf(bytes)}, and ${digest} was asked for`,
    "Something on the way changes what comes, or the registry's own copy is damaged",
  );
}
