/** Names of the warnings, which `acceptWarnings` takes. What each means is in docs/machine-config.md. */
export const WARNINGS = [
  "no-address-on-the-link",
  "other-nic",
  "mac-never-matches",
  "address-on-the-link",
  "no-route-to-the-uplink",
  "no-images",
  "no-install",
  "installer-version",
  "installer-schematic",
  "time-off-the-link",
  "resolvers-off-the-link",
  "mirror-without-scheme",
  "bare-host-name",
  "omni-off-the-link",
  "not-mirrored",
  "kernel-line",
  "endpoint-was-a-lease",
  "endpoint-is-itself",
] as const;

export type WarningName = (typeof WARNINGS)[number];

/** Names of all that may be found. */
export const FINDINGS = [...WARNINGS, "endpoint", "machine-type"] as const;

/** What does not fit between a machine config, or a kernel line, and the link that it is served on. */
export interface Finding {
  name: (typeof FINDINGS)[number];
  /** An error cannot work; a warning may be intended, and says what happens if it is not. */
  level: "error" | "warning";
  /** What will happen, and what to write instead. */
  text: string;
}

export const error = (name: Finding["name"], text: string): Finding => ({ name, level: "error", text });
export const warning = (name: WarningName, text: string): Finding => ({ name, level: "warning", text });

/** A warning on one line, with the way to silence it. */
export const warningLine = ({ name, text }: Pick<Finding, "name" | "text">) =>
  `${text} (${name}: acceptWarnings silences it)`;
