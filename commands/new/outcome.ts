import type { Identity } from "./age-identity";
import type { Plan } from "./answers";

/** What was made, and what comes next, in short lines. */
export function outcome(made: Plan, age: Identity, warnings: string[]): string {
  const { talosSchematic: schematic } = made.config;
  const role = made.role === "worker" ? "a worker" : made.join ? "another control plane" : "a control plane";
  const lines = [
    ...(age.made
      ? [
          `An age identity was made: ${age.made}`,
          "  Keep a copy of it: without it nothing here can be decrypted.",
        ]
      : []),
    `The stack ${made.stack} was made: ${role} of the cluster ${made.cluster} at ${made.endpoint}`,
    `  Pulumi.${made.stack}.yaml: ${made.config.minipcMac} gets ${made.minipcIp}, Talos ${made.talosVersion}`,
    ...(schematic
      ? [`  Its ISO and its installer come from the Image Factory's schematic ${schematic}`]
      : []),
    `  ${made.machineConfig}: its machine config, encrypted; Talos goes to ${made.disk}`,
    made.talosConfig
      ? `  ${made.talosConfig}: the client config for talosctl, encrypted`
      : `  The client config is that of the stack ${made.join}`,
    "All of these may be committed. No plain file was written.",
    ...warnings.map((line) => `warning: ${line}`),
    "Next:",
    `  npm run pulumi -- preview --stack ${made.stack}`,
    `  npm run pulumi -- up --stack ${made.stack}`,
  ];
  return `${lines.join("\n")}\n`;
}
