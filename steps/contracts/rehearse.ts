import * as z from "zod";
import { ServedImage } from "./image";

export const Input = z.object({
  key: z.string(),
  /** The record, `rehearsal.json`; what else was seen goes beside it. */
  path: z.string(),
  image: z.object({ path: z.string(), sha256: z.string(), bytes: z.number() }),
  subject: z.object({
    minipcMac: z.string(),
    minipcIp: z.string(),
    applianceCidr: z.string(),
    /** Networks whose hosts reach the mini-PC by the uplink, each as NETWORK/LENGTH. */
    operatorNetworks: z.array(z.string()).optional(),
    talosVersion: z.string(),
    kernelArguments: z.array(z.string()),
    hasSerialConsole: z.boolean(),
    hasUplink: z.boolean(),
    /** What the appliance has on an uplink without DHCP. */
    fixedUplink: z.object({ cidr: z.string(), gateway: z.string() }).optional(),
    secretPaths: z.array(z.string()),
    /** What the layer of images has, which only an offline stack has: its images.json. */
    images: z.array(ServedImage).optional(),
  }),
  /** SHA-256 of the decrypted machine config. */
  configSha256: z.string(),
  /** Why the mini-PC need not ask the appliance for the time, in words. */
  timeElsewhere: z.string().optional(),
  /** What no virtual machine can show of the install disk, in words. */
  unseenDisk: z.string().optional(),
});

/** The result of a rehearsal; times in seconds from the appliance's power-on. */
export const Manifest = z.object({
  /** The page that shows it, a path from the checkout's top; captures, logs and pictures lie beside it. */
  timeline: z.string(),
  accelerator: z.enum(["kvm", "hvf", "tcg"]),
  seconds: z.number(),
  steps: z.array(z.object({ step: z.string(), at: z.number(), took: z.number() })),
  /** Titles of the proofs that held: what must not happen, and did not. */
  proved: z.array(z.string()),
});
