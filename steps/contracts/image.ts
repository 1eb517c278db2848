import * as z from "zod";

/** A container image as the appliance's registry has it. */
export const ServedImage = z.object({
  /** As the machine config, Talos or the stack names it, written out: `ghcr.io/siderolabs/kubelet:v1.34.1`. */
  reference: z.string(),
  /** Its name in the appliance's registry, the upstream's host first: `ghcr.io/siderolabs/kubelet`. */
  repository: z.string(),
  /** Empty where the reference names a digest alone. */
  tag: z.string(),
  /** Digest of its manifest for linux/amd64, `sha256:…`. */
  digest: z.string(),
  /** Digests of the index that the reference names by its digest, and of those between it and the image; unset, it names none. */
  indexes: z.array(z.string()).optional(),
  /** Bytes of its manifest, its config and its layers, as they are sent. */
  bytes: z.number(),
});
export type ServedImage = z.output<typeof ServedImage>;
