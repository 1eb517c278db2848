import * as z from "zod";
import { ServedImage } from "./image";

export const Input = z.object({
  /** References, written out. */
  images: z.array(z.string()),
  /** Folder of the blobs that were fetched for any layer. */
  store: z.string().default("artifacts/cache/images/store"),
  /** Digests that come with the checkout, by `docker://REFERENCE`, or by `docker://PLACE` as below. */
  lockFile: z.string().default("sources.lock.json"),
  /** Those that were recorded here at first use, by `docker://PLACE`: what registries.conf(5) makes of the reference. */
  recordFile: z.string().default("sources.local.json"),
});

export const Manifest = z.object({
  images: z.array(ServedImage),
  /** Tags that name something else by now than when they were recorded, one sentence each. */
  warnings: z.array(z.string()),
});
