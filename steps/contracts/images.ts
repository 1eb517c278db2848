import * as z from "zod";
import { ServedImage } from "./image";
import { Made } from "./made";

export const Input = z.object({
  key: z.string(),
  /** The images layer's file. */
  path: z.string(),
  /** Folder of the blobs that were fetched for any layer. */
  store: z.string().default("artifacts/cache/images/store"),
  images: z.array(ServedImage),
});

export const Manifest = Made.extend({ images: z.array(ServedImage) });
