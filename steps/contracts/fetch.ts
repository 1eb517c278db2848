import * as z from "zod";
import { NO_USER_INFO, USER_INFO } from "../../stack/source-url";
import { Made } from "./made";

export const Input = z.object({
  key: z.string(),
  /** Where the file goes. */
  path: z.string(),
  /**
   * `https://…` or `file://…`; a relative path after file:// counts from the checkout's top. A query may be secret: it is kept
   * out of what is recorded and told, and a component gives it by the environment's URL_QUERY.
   */
  url: z.string().refine((url) => !USER_INFO.test(url), NO_USER_INFO),
  /** Expected SHA-256; unset, a recorded one or the list beside the source counts. */
  sha256: z.string().optional(),
  kind: z.enum(["iso", "qcow2"]),
  /** Whether its maker publishes no checksum: where no list beside it does either, that of its first use counts. */
  isUnlisted: z.boolean().default(false),
  /** Digests by URL that come with the checkout. */
  lockFile: z.string().default("sources.lock.json"),
  /** Those that were recorded here at first use: a file of its own, so that no tracked one changes. */
  recordFile: z.string().default("sources.local.json"),
  /** Config keys that a person sets to correct a fault. */
  setKeys: z.object({ url: z.string(), sha256: z.string() }),
});

export const Manifest = Made;
