import { join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { intact } from "../steps/lib/files";
import { lastRunPath, noteForPreview } from "./preview";
import { TOP } from "./top";

export interface StepArgs {
  /** Program in steps/, without its ending. */
  program: string;
  /** What the program reads from stdin, as JSON. No secret goes here: it is shown in previews. */
  input: pulumi.Input<object>;
  /**
   * File that the step makes, when it makes one. While it is gone or altered, or of another key than the one given,
   * the step runs again. Its path counts from the checkout's top, and is unset while nothing tells it yet.
   */
  artifact?: { path?: string; key?: string };
  /** Steps with the same lock take turns, across stacks too. */
  lock?: string;
  /**
   * What changes how a step works but not what it makes, by environment variable. A change of it runs the step,
   * which finds what it made before and is done.
   */
  settings?: Record<string, string>;
  /** Secrets, by environment variable. */
  secrets?: Record<string, pulumi.Input<string>>;
  /** Program in steps/ that runs with the same input when the resource goes: destroyed, or its artifact moved. */
  onDestroy?: string;
}

function whyMissing({ path, key }: NonNullable<StepArgs["artifact"]>): string | undefined {
  if (!path) return "not made yet";
  const stamp = intact(join(TOP, path));
  if (!stamp) return `${path} is missing or was altered`;
  return key && stamp.key !== key ? `${path} is of other inputs` : undefined;
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
  const missing = args.artifact && whyMissing(args.artifact);
  noteForPreview(name, args.input, missing);
  const command = new local.Command(
    name,
    {
      create: ["exec steps/run", args.program, args.lock].filter(Boolean).join(" "),
      delete: args.onDestroy && `exec steps/run ${args.onDestroy}`,
      // Another path is another resource: the new one is made, then the old one's file is removed.
      triggers: args.onDestroy && args.artifact?.path ? [args.artifact.path] : undefined,
      dir: TOP,
      stdin: pulumi.jsonStringify(args.input),
      environment: {
        ARTIFACT: missing ? `${missing}, seen ${new Date().toISOString()}` : "present",
        LAST_RUN: lastRunPath(name),
        ...args.settings,
        ...args.secrets,
      },
      logging: "stderr",
      addPreviousOutputInEnv: false,
    },
    {
      parent,
      dependsOn,
      ignoreChanges: missing ? [] : ["environment.ARTIFACT"],
    },
  );
  // A manifest holds digests and paths, no secret, whatever went in.
  return pulumi.unsecret(command.stdout).apply((manifest) => JSON.parse(manifest) as M);
}
