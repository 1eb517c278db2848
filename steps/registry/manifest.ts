import { createHash } from "node:crypto";
import * as z from "zod";

const Blob = z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/), size: z.number() });
const Platform = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() });
/** An index, or Docker's manifest list: one manifest for each platform (OCI image-spec, image-index.md). */
const Index = z.object({ manifests: z.array(Blob.extend({ platform: Platform.optional() })) });
/** An image of one platform (OCI image-spec, manifest.md; Docker's image manifest, version 2, schema 2). */
const Manifest = z.object({ config: Blob, layers: z.array(Blob) });

export type Blob = z.output<typeof Blob>;

/** What a manifest is: that of an image, or an index with the image for linux/amd64. */
export type Read = { image: Blob[] } | { amd64: string } | { fault: string };

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

/** Reads a manifest. An image's blobs are its config and its layers, each once. */
export function readManifest(bytes: Buffer): Read {
  const value = parsed(bytes);
  const index = Index.safeParse(value);
  if (index.success) {
    const fitting = index.data.manifests.filter(
      ({ platform }) => platform?.os === "linux" && platform.architecture === "amd64",
    );
    // A variant, v2 and higher, wants a newer CPU than every mini-PC has.
    const found = fitting.find(({ platform }) => !platform?.variant) ?? fitting[0];
    return found ? { amd64: found.digest } : { fault: "it has no image for linux/amd64" };
  }
  const manifest = Manifest.safeParse(value);
  if (!manifest.success) return { fault: "its manifest is none that a Talos node could use" };
  const { config, layers } = manifest.data;
  return { image: [...new Map([config, ...layers].map((blob) => [blob.digest, blob])).values()] };
}
