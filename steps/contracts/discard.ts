import * as z from "zod";

export const Input = z.object({
  path: z.string(),
  /** Stack that owns the path. */
  stack: z.string(),
  key: z.string().optional(),
});

export const Manifest = z.object({ path: z.string(), removed: z.boolean() });
