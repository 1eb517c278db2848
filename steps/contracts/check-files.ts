import * as z from "zod";

export const Input = z.object({
  /** The files' texts, by name. */
  files: z.record(z.string(), z.string()),
});

export const Manifest = z.object({
  /** Names of the files. */
  checked: z.array(z.string()),
});
