import semver from "semver";
import isURL from "validator/lib/isURL";
import * as z from "zod";
import { WARNINGS } from "../finding";
import { imageReference } from "../image-reference";
import { withoutHeld } from "../networks";
import { NO_USER_INFO, USER_INFO } from "../source-url";
import { knowsTalos } from "../talos-kernel";
import {
  consoles,
  EXAMPLE_MAC,
  flag,
  hostCidr,
  ipAddress,
  ipv4,
  kernelArgs,
  linkCidr,
  list,
  mac,
  name,
  network,
  path,
  range,
  sha256,
  source,
} from "./values";

/** Every key, with what is right for it and an example, which a message shows where the value at hand tells nothing better. */
export const KEYS = {
  talosVersion: {
    schema: z
      .string()
      .refine(
        (value) => value.startsWith("v") && semver.valid(value) !== null,
        "not a Talos release: v, then three numbers",
      )
      .refine(
        (value) => semver.valid(value) === null || knowsTalos(value),
        "older than v1.9.0, the oldest release that is supported",
      ),
    example: "v1.11.6",
  },
  bootstrapVersion: { schema: name, example: "2025-12-17" },
  minipcMac: {
    schema: mac,
    example: `what the mini-PC's label or firmware shows, written like ${EXAMPLE_MAC}`,
  },
  minipcIp: { schema: ipv4, example: "10.10.10.100" },
  applianceCidr: { schema: linkCidr, example: "10.10.10.2/24" },
  dhcpRange: { schema: range, example: "10.10.10.50-10.10.10.60" },
  machineConfig: { schema: path, example: "config/controlplane.yaml" },
  talosConfig: { schema: path.optional(), example: "config/talosconfig" },
  joins: { schema: flag, example: "false" },
  acceptWarnings: {
    schema: list(
      z.enum(WARNINGS, {
        error: ({ input }) => `no warning is named ${String(input)}; there are ${WARNINGS.join(", ")}`,
      }),
    ).default([]),
    example: "other-nic,time-off-the-link",
  },
  ageKeyFile: { schema: path.optional(), example: "/home/me/.config/sops/age/keys.txt" },
  allowPlaintextSecrets: { schema: flag, example: "false" },
  talosSchematic: {
    schema: z
      .string()
      .regex(/^[0-9a-f]{64}$/i, "not the id of a schematic")
      .toLowerCase()
      .optional(),
    example: "64 hex digits, as https://factory.talos.dev shows them",
  },
  isoUrl: { schema: source.optional(), example: "file:///srv/iso/metal-amd64.iso" },
  isoSha256: { schema: sha256.optional(), example: "64 hex digits, as sha256sum prints them" },
  baseSource: {
    schema: z.enum(["cloud-image", "autoinstall-iso"], "neither cloud-image nor autoinstall-iso"),
    example: "cloud-image",
  },
  baseUrl: { schema: source.optional(), example: "file:///srv/iso/ubuntu-24.04-server-cloudimg-amd64.img" },
  baseSha256: { schema: sha256.optional(), example: "64 hex digits, as sha256sum prints them" },
  baseOffline: { schema: flag, example: "false" },
  consoles: { schema: consoles, example: "tty0, or tty0,ttyS0,115200n8" },
  kernelArgs: { schema: kernelArgs.optional(), example: "i915.enable_guc=3 -selinux" },
  uplink: { schema: flag, example: "true" },
  uplinkCidr: { schema: hostCidr.optional(), example: "192.168.1.5/24" },
  uplinkGateway: { schema: ipv4.optional(), example: "192.168.1.1" },
  upstreamDns: {
    schema: list(ipAddress).optional(),
    example: "9.9.9.9,149.112.112.112",
  },
  operatorNetwork: {
    schema: list(network).transform(withoutHeld).default([]),
    example: "192.168.1.0/24, or several, separated by commas",
  },
  offline: { schema: flag, example: "false" },
  extraImages: {
    schema: list(
      z.string().refine((value) => imageReference(value) !== undefined, {
        error: ({ input }) => `${String(input)} is no reference to an image`,
      }),
    ).default([]),
    example: "docker.io/library/busybox:1.37,quay.io/cilium/cilium:v1.18.1",
  },
  rehearse: { schema: flag, example: "true" },
  compress: { schema: z.enum(["none", "gzip", "zstd"], "neither none, gzip nor zstd"), example: "none" },
  upload: { schema: flag, example: "false, or true with a bucket, its key and a rehearsal" },
  bucket: {
    schema: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
        "not a bucket's name: 3 to 63 lower-case letters, digits, dots, dashes",
      )
      .optional(),
    example: "provisioning",
  },
  endpoint: {
    schema: z
      .string()
      .refine(
        (value) => isURL(value, { protocols: ["https", "http"], require_tld: false }),
        "neither a host nor a URL",
      )
      .refine(
        (value) => /^(https?:\/\/)?[^/?#]+\/?$/i.test(value),
        "it names a path, and a server has none; the bucket is named by the key bucket",
      )
      .refine((value) => !USER_INFO.test(value), NO_USER_INFO)
      .optional(),
    example: "s3.us-west-1.idrivee2.com",
  },
  region: {
    schema: z
      .string()
      .regex(/^[a-z0-9-]+$/, "not a region")
      .optional(),
    example: "us-west-1",
  },
  deleteObjects: { schema: flag, example: "false" },
  artifactName: { schema: name, example: "bootstrap-pxe" },
  accelerator: {
    schema: z.enum(["auto", "kvm", "hvf", "tcg"], "neither auto, kvm, hvf nor tcg"),
    example: "auto",
  },
} as const satisfies Record<string, { schema: z.ZodType; example: string }>;

export type Key = keyof typeof KEYS;

/** A stack's config, checked and normalised. Each key is explained in Pulumi.yaml, which also has the defaults. */
export type StackConfig = { [K in Key]: z.output<(typeof KEYS)[K]["schema"]> };

export const isKey = (key: string): key is Key => key in KEYS;

/** Whether a key is either true or false. */
export const isFlag = (key: string): boolean => isKey(key) && KEYS[key].schema === flag;
