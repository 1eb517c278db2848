import * as z from "zod";
import { Made } from "./made";

const Layer = z.object({
  /** Digest of all that the layer's bytes in the image come from. */
  key: z.string(),
});

export const Input = z.object({
  key: z.string(),
  /** The compressed image. */
  path: z.string(),
  /** Stack that owns the path. */
  stack: z.string(),
  image: z.object({ path: z.string(), sha256: z.string() }),
  format: z.enum(["gzip", "zstd"]),
  /** Layers whose members are kept for other images; the site layer is none: it holds secrets. */
  layers: z.object({ base: Layer, netboot: Layer, images: Layer.optional() }),
  /** Folder of the kept members. */
  cache: z.string().default("artifacts/cache/compressed"),
});

export const Manifest = Made;
