import * as z from "zod";
import { Made } from "./made";

export const Input = z.object({
  key: z.string(),
  /** The netboot layer's file. */
  path: z.string(),
  isoPath: z.string(),
  isoSha256: z.string(),
  talosVersion: z.string(),
  /** The Image Factory's schematic that the ISO has to be of; unset, none is expected. */
  schematic: z.string().optional(),
});

export const Manifest = Made.extend({
  kernelVersion: z.string(),
  /** Its archives' formats, in their order, with a plus between. */
  initramfsFormat: z.string(),
  /** The Image Factory's schematic that the ISO is of, if it is of one. */
  schematic: z.string().optional(),
  /** SHA-256 of its files, by name. */
  files: z.record(z.string(), z.string()),
  /** The arguments that the ISO boots its kernel with, in their order. */
  kernelArguments: z.array(z.string()),
  /** What is legal but looks like an oversight. */
  warnings: z.array(z.string()).optional(),
});
