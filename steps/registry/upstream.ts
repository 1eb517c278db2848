import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";
import { digestOf } from "./manifest";
import { skopeo, sourceFlags } from "./skopeo";

/** No manifest is nearly so large (distribution refuses those above 4 MiB). */
const MOST_MANIFEST_BYTES = 4 << 20;

/**
 * A manifest, just as its registry has it.
 *
 * @param at `:TAG` or `@DIGEST`
 * @throws RegistryFault
 */
export async function manifestOf(context: StepContext, repository: string, at: string): Promise<Buffer> {
  const flags = ["--raw", ...sourceFlags(repository, "--tls-verify")];
  const args = ["inspect", ...flags, `docker://${repository}${at}`];
  const { stdout } = await skopeo(context, args, repository + at, {
    encoding: null as never,
    maxBuffer: MOST_MANIFEST_BYTES,
  });
  return stdout as unknown as Buffer;
}

/**
 * A manifest by its digest, which its bytes have to have.
 *
 * @param doing what a fault says was being done
 */
export async function manifestBy(context: StepContext, repository: string, digest: string, doing: string) {
  const bytes = await manifestOf(context, repository, `@${digest}`);
  if (digestOf(bytes) === digest) return bytes;
  throw new StepError(
    doing,
    `its manifest has the digest ${digestOf(bytes)}, and ${digest} was asked for`,
    "Something on the way changes what comes, or the registry's own copy is damaged",
  );
}
