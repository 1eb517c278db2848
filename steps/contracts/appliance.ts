import * as z from "zod";
import { Made } from "./made";

const File = z.object({ path: z.string(), sha256: z.string() });
export const Input = z.object({
  key: z.string(),
  /** The finished image. */
  path: z.string(),
  /** Stack that owns the path. */
  stack: z.string(),
  base: File,
  netboot: File,
  /** The layer of images, which only an offline stack has. */
  images: File.optional(),
  files: z.record(z.string(), z.string()),
  machineConfig: File,
  talosConfig: File.optional(),
  /** What an offline stack adds to the machine config, YAML; the digest above is taken with it. */
  mirrorPatch: z.string().optional(),
  ageKeyFile: z.string().optional(),
  /** How the mini-PC's kernel line differs from the ISO's, in words. */
  kernelLine: z.string().optional(),
});

export const Manifest = Made;
