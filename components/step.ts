import { join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { intact, type Stamp } from "../steps/lib/files";
import { known, lastRunPath, noteForPreview } from "./preview";
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
  artifact?: { path?: string; key?: pulumi.Input<string> };
  /** Steps with the same lock take turns, across stacks too. */
  lock?: string;
  /**
   * What changes how a step works but not what it makes, by environment variable. A change of it runs the step,
   * which finds what it made before and is done.
   */
  settings?: Record<string, pulumi.Input<string>>;
  /** Secrets, by environment variable. */
  secrets?: Record<string, pulumi.Input<string>>;
  /** Program in steps/ that runs with the same input when the resource goes: destroyed, or its artifact moved. */
  onDestroy?: string;
}

/** What is on disk of an artifact: its stamp, or why it has to be made again. */
function lookAt(path: string | undefined, key: string | undefined): { stamp?: Stamp; missing?: string } {
  if (!path) return { missing: "not made yet" };
  const stamp = intact(join(TOP, path));
  if (!stamp) return { missing: `${path} is missing or was altered` };
  return key && stamp.key !== key ? { missing: `${path} is of other inputs` } : { stamp };
}

/**
 * The Command that runs a step.
 *
 * A file that vanished shows as a changed variable, so that preview names it; while the file is there, what the
 * state holds of that variable is left alone.
 */
function commandFor(
  name: string,
  { program, input, artifact, lock, settings, secrets, onDestroy }: StepArgs,
  missing: string | undefined,
  opts: pulumi.ResourceOptions,
): local.Command {
  return new local.Command(
    name,
    {
      create: ["exec steps/run", program, lock].filter(Boolean).join(" "),
      delete: onDestroy && `exec steps/run ${onDestroy}`,
      // Another path is another resource: the new one is made, then the old one's file is removed.
      triggers: onDestroy && artifact?.path ? [artifact.path] : undefined,
      dir: TOP,
      stdin: pulumi.jsonStringify(input),
      environment: {
        ARTIFACT: missing ? `${missing}, seen ${new Date().toISOString()}` : "present",
        LAST_RUN: lastRunPath(name),
        ...settings,
        ...secrets,
      },
      logging: "stderr",
      addPreviousOutputInEnv: false,
    },
    { ...opts, ignoreChanges: missing ? [] : ["environment.ARTIFACT"] },
  );
}

/** Runs a step as a Command and returns the manifest that it prints, of the type M. */
export function step<M extends object>(
  name: string,
  args: StepArgs,
  parent: pulumi.Resource,
  dependsOn?: pulumi.ResourceOptions["dependsOn"],
): pulumi.Output<M> {
  const make = (key?: string) => {
    const { stamp, missing } = args.artifact ? lookAt(args.artifact.path, key) : {};
    return { stamp, missing, command: commandFor(name, args, missing, { parent, dependsOn }) };
  };
  const key = args.artifact?.key;
  // Whether a file is of these inputs shows when they are known; where a preview cannot know them, they change.
  const made = pulumi.Output.isInstance(key) ? known(key).then(make) : make(key as string | undefined);
  noteForPreview(name, args.input, made);
  return pulumi.output(made).apply(({ stamp, command }) =>
    // A manifest holds digests and paths, no secret, whatever went in.
    pulumi.unsecret(command.stdout).apply((text) => {
      const manifest = JSON.parse(text) as M;
      // A cache was emptied, and another stack has made the same again: what lies there counts, not what once did.
      const held = stamp && "sha256" in manifest && { sha256: stamp.sha256, bytes: stamp.bytes };
      return { ...manifest, ...held };
    }),
  );
}
