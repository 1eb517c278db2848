import type * as z from "zod";
import * as appliance from "./appliance";
import * as base from "./base";
import * as checkFiles from "./check-files";
import * as compress from "./compress";
import * as fetch from "./fetch";
import * as imageDigests from "./image-digests";
import * as images from "./images";
import * as machineConfig from "./machine-config";
import * as netboot from "./netboot";
import * as rehearse from "./rehearse";

/** What each step that a component runs is given, and what it prints, by the name of its program. */
export const CONTRACTS = {
  appliance,
  base,
  "check-files": checkFiles,
  compress,
  fetch,
  "image-digests": imageDigests,
  images,
  "machine-config": machineConfig,
  netboot,
  rehearse,
};

export type StepName = keyof typeof CONTRACTS;
export type InputOf<P extends StepName> = z.input<(typeof CONTRACTS)[P]["Input"]>;
export type ManifestOf<P extends StepName> = z.output<(typeof CONTRACTS)[P]["Manifest"]>;
