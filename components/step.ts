import { join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { intact } from "../steps/lib/files";
import { TOP } from "./identity";

export interface StepArgs {
  /** Program in steps/, without its ending. */
  program: string;
  /** What the program reads from stdin, as JSON. No secret goes here: it is shown in previews. */
  input: pulumi.Input<object>;
  /** File that the step makes, a path from the checkout's top. When it is gone or altered, the step runs again. */
  artifact?: string;
  /** Steps with the same lock take turns, across stacks too. */
  lock?: string;
  /** What changes how a step works but not what it makes, by environment variable: a change of it runs nothing. */
  settings?: Record<string, string>;
  /** Secrets, by environment variable. */
  secrets?: Record<string, pulumi.Input<string>>;
  /** Program in steps/ that `pulumi destroy` runs, with the same input. */
  onDestroy?: string;
}

/**
 * Runs a step as a Command and returns the manifest that it prints, of the type M.
 *
 * A file that vanished shows as a changed variable, so that preview names it; while the file is there, what the
 * state holds of that variable is left alone.
 */
export function step<M>(
  name: string,
  args: StepArgs,
  parent: pulumi.Resource,
  dependsOn?: pulumi.ResourceOptions["dependsOn"],
): pulumi.Output<M> {
  const present = args.artifact === undefined || intact(join(TOP, args.artifact)) !== undefined;
  const settings = Object.keys(args.settings ?? {});
  const command = new local.Command(
    name,
    {
      create: ["exec steps/run", args.program, args.lock].filter(Boolean).join(" "),
      delete: args.onDestroy && `exec steps/run ${args.onDestroy}`,
      dir: TOP,
      stdin: pulumi.jsonStringify(args.input),
      environment: {
        ARTIFACT: present
          ? "present"
          : `${args.artifact} is missing or was altered, seen ${new Date().toISOString()}`,
        ...args.settings,
        ...args.secrets,
      },
      logging: "stderr",
      addPreviousOutputInEnv: false,
    },
    {
      parent,
      dependsOn,
      ignoreChanges: [...settings, ...(present ? ["ARTIFACT"] : [])].map((name) => `environment.${name}`),
    },
  );
  // A manifest holds digests and paths, no secret, whatever went in.
  return pulumi.unsecret(command.stdout).apply((manifest) => JSON.parse(manifest) as M);
}
