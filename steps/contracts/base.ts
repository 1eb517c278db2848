import * as z from "zod";
import { Made } from "./made";

export const Input = z.object({
  /** Digest over all that goes into the base; names its folder. */
  key: z.string(),
  /** The base layer's file. */
  path: z.string(),
  source: z.enum(["cloud-image", "autoinstall-iso"]),
  /** What Packer starts from, fetched and checked. */
  sourcePath: z.string(),
  sourceSha256: z.string(),
  template: z.string(),
  /** Cut the guest off from every network: its packages are in the source. */
  offline: z.boolean(),
});

export const Manifest = Made.extend({
  /** Bytes of content in the root file system. */
  contentBytes: z.number(),
});
