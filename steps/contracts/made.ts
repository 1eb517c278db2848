import * as z from "zod";

/** A file that was made, known by its content. */
export const Made = z.object({
  /** A path from the checkout's top. */
  path: z.string(),
  sha256: z.string(),
  bytes: z.number(),
});
