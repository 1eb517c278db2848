import { createHash } from "node:crypto";
import * as z from "zod";

const Blob = z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/), size: z.number() });
const Platform = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });
/** An index, or Docker's manifest list: a manifest for each platform, or further indexes (OCI image-spec, image-index.md). */
const Index = z.object({
  manifests: z.array(
    Blob.extend({
      platform: Platform.optional(),
      artifactType: z.string().optional(),
      annotations: z.record(z.string(), z.string()).optional(),
    }),
  ),
});
/** `urls` is where a layer comes from whose maker lets no registry have it (OCI image-spec, descriptor.md). */
const Layer = Blob.extend({ urls: z.array(z.string()).optional() });
/** An image of one platform (OCI image-spec, manifest.md; Docker's image manifest, version 2, schema 2). */
const Manifest = z.object({ config: Blob, layers: z.array(Layer) });
const Schema1 = z.object({ schemaVersion: z.literal(1), fsLayers: z.unknown() });

export type Blob = z.output<typeof Blob>;

/** What is wrong with a manifest, and what to do. */
export interface Unfit {
  fault: string;
  help: string;
}
/** What a manifest is: that of an image, or an index, with what may be or name the image for linux/amd64, the best first. */
export type Read = { image: Blob[] } | { candidates: string[] } | Unfit;

/** What is said of an index that has nothing for the mini-PC. */
export const NOT_FOR_AMD64: Unfit = {
  fault: "it has no image for linux/amd64",
  help: "Name an image that runs on linux/amd64",
};

/** What an image's config says that it is for (OCI image-spec, config.md); undefined where it does not say it. */
export const architectureIn = (config: Buffer): string | undefined =>
  z.object({ architecture: z.string() }).safeParse(parsed(config)).data?.architecture;

/** The digest of bytes, as registries write it. */
export const digestOf = (bytes: Buffer | string) =>
  `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return undefined;
  }
}

/** Docker's builder says so of what attests an image (moby/buildkit, docs/attestations). */
const ATTESTATION = "vnd.docker.reference.type";

function candidatesIn({ manifests }: z.output<typeof Index>): string[] {
  const fitting = manifests.filter(
    ({ platform }) => platform?.os === "linux" && platform.architecture === "amd64",
  );
  // A variant, v2 and higher, wants a newer CPU than every mini-PC has.
  const variantOf = ({ platform }: (typeof fitting)[number]) => platform?.variant ?? "";
  const best = [...fitting].sort((a, b) => (variantOf(a) < variantOf(b) ? -1 : 1)).slice(0, 1);
  const unsaid = manifests.filter(
    ({ platform, artifactType, annotations }) => !platform && !artifactType && !annotations?.[ATTESTATION],
  );
  return [...best, ...(best.length === 0 ? unsaid : [])].map(({ digest }) => digest);
}

/** Reads a manifest. An image's blobs are its config and its layers, each once. */
export function readManifest(bytes: Buffer): Read {
  const value = parsed(bytes);
  const index = Index.safeParse(value);
  if (index.success) return { candidates: candidatesIn(index.data) };
  if (Schema1.safeParse(value).success)
    return {
      fault: "its manifest is of Docker's schema 1, which a Talos node does not take",
      help: "Push it anew with a program of today, and name that",
    };
  const manifest = Manifest.safeParse(value);
  if (!manifest.success)
    return { fault: "its manifest is none that a Talos node could use", help: NOT_FOR_AMD64.help };
  const { config, layers } = manifest.data;
  const foreign = layers.find(({ urls = [] }) => urls.length > 0);
  if (foreign)
    return {
      fault: `its layer ${foreign.digest} comes from ${foreign.urls![0]} and not from its registry`,
      help: "Name an image whose layers are all in its registry",
    };
  const blobs = [config, ...layers].map(({ digest, size }) => ({ digest, size }));
  return { image: [...new Map(blobs.map((blob) => [blob.digest, blob])).values()] };
}
