import * as z from "zod";
import { FINDINGS } from "../../stack/finding";

export const Input = z.object({
  path: z.string(),
  talosConfig: z.string().optional(),
  ageKeyFile: z.string().optional(),
  allowPlaintext: z.boolean(),
  talosVersion: z.string(),
  schematic: z.string().optional(),
  minipcIp: z.string(),
  minipcMac: z.string(),
  applianceCidr: z.string(),
  uplink: z.boolean().default(true),
  joins: z.boolean().default(false),
  /** Whether the appliance serves the images that the mini-PC needs. */
  offline: z.boolean().default(false),
  /** References that the stack adds to those images. */
  extraImages: z.array(z.string()).default([]),
  /** SHA-256 of the file as it lies there. */
  encryptedSha256: z.string().optional(),
  /** Digest of this program. */
  code: z.string().optional(),
});

/** What is known of the config without showing it. */
export const Manifest = z.object({
  /** `controlplane` or `worker`; empty when the config is partial, and Talos gets the rest elsewhere. */
  machineType: z.string(),
  endpoint: z.string(),
  /** Reference of the installer's image; empty where Talos takes its own. */
  installImage: z.string(),
  /** Names the cluster: the same for each of its machines. Empty where the config has no CA. */
  cluster: z.string(),
  /** Why the machine need not ask the appliance for the time, in words; unset where it does. */
  timeElsewhere: z.string().optional(),
  /** What no virtual machine can show of the install disk, in words; unset where Talos says that the disk is not there. */
  unseenDisk: z.string().optional(),
  /** What is legal but may not work on the isolated link. */
  warnings: z.array(z.object({ name: z.enum(FINDINGS), text: z.string() })),
  /** References of the images that an offline stack's appliance serves; of another stack, none. */
  images: z.array(z.string()).default([]),
  /** What makes the machine take them from there, a patch to the machine config, YAML; empty where there is none. */
  mirrorPatch: z.string().default(""),
  /** A patch that takes the mirrors away again from the machine that has them, YAML; empty where there is none. */
  mirrorRemoval: z.string().default(""),
  /** SHA-256 of the decrypted file, with the patch if there is one: what the appliance serves is checked against it. */
  sha256: z.string(),
  talosConfigSha256: z.string().optional(),
});
