import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { intact, type Stamp } from "../steps/store/files";
import { known, lastRunPath, noteForPreview } from "./preview";
import { TOP } from "../stack/top";

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
  /**
   * Secrets, by environment variable. An update plan that does not hold is told with all of the property that changed, secrets
   * too: so a step that has one gets nothing else by its environment that may change.
   */
  secrets?: Record<string, pulumi.Input<string>>;
  /** As `secrets`, but of use only to a run that makes the artifact: while it is there, a change of them runs nothing. */
  passingSecrets?: Record<string, string>;
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

/** Whether an update plan binds this run, or is made by it (tools/setup/pulumi.cjs). */
const isPlanned = () => process.env.BOOTSTRAP_PXE_PLAN !== undefined;

/**
 * What a step prints. A plan binds what the update may learn later than its preview, so under one the key of a file that is
 * there decides only now whether it is the right one.
 *
 * @throws pulumi.RunError when it is of other inputs, as after a run that was killed and whose change was taken back
 */
function printed(stdout: pulumi.Output<string>, { path, key }: Partial<StepArgs["artifact"] & object> = {}) {
  const text = pulumi.unsecret(stdout);
  if (!isPlanned() || !pulumi.Output.isInstance(key)) return text;
  return pulumi.all([text, key]).apply(([known, wanted]) => {
    const stamp = path ? intact(join(TOP, path)) : undefined;
    if (stamp && stamp.key !== wanted)
      throw new pulumi.RunError(
        `${path} is of other inputs, which no update plan tells: run up without a plan`,
      );
    return known;
  });
}

const modified = (path: string): number | undefined =>
  statSync(join(TOP, path), { throwIfNoEntry: false })?.mtimeMs;

/** When the next folder above a path that is there was changed. */
const changedAbove = (path: string): number => modified(dirname(path)) ?? changedAbove(dirname(path));

let atStart: number | undefined;

/**
 * When a step last ran here, or the folder of its file was last changed: the same in a preview and in the update that follows
 * it, so that an update plan holds, and another one after each run, so that a file that vanishes once more is a change once more.
 */
function lastChange(name: string, artifact?: string): string {
  const record = lastRunPath(name);
  // The steps that run before this one write into those folders.
  atStart ??= changedAbove(record);
  const times = [modified(record) ?? atStart, artifact ? changedAbove(artifact) : 0];
  return new Date(Math.max(...times)).toISOString();
}

/**
 * The Command that runs a step.
 *
 * A file that vanished shows as a changed variable, or as a comment of the command where there are secrets, so that preview
 * names it; while the file is there, what the state holds of that is left alone.
 *
 * It names no folder to run in: the engine starts plugins in the checkout that it works for, wherever the state was made.
 */
function commandFor(
  name: string,
  { program, input, artifact, lock, settings, secrets, passingSecrets = {}, onDestroy }: StepArgs,
  missing: string | undefined,
  opts: pulumi.ResourceOptions,
): local.Command {
  const seen = missing ? `${missing}, as of ${lastChange(name, artifact?.path)}` : "present";
  const passing = Object.entries(passingSecrets).filter(([, value]) => value !== "");
  const ofTheMoment = [
    secrets ? "create" : "environment.ARTIFACT",
    ...Object.keys(passingSecrets).map((key) => `environment.${key}`),
  ];
  return new local.Command(
    name,
    {
      create: ["exec steps/run", program, lock, secrets && missing && `# ${seen}`].filter(Boolean).join(" "),
      delete: onDestroy && `exec steps/run ${onDestroy}`,
      // Another path is another resource: the new one is made, then the old one's file is removed.
      triggers: onDestroy && artifact?.path ? [artifact.path] : undefined,
      stdin: pulumi.jsonStringify(input),
      environment: {
        ...(!secrets && { ARTIFACT: seen }),
        LAST_RUN: lastRunPath(name),
        ...settings,
        ...secrets,
        ...Object.fromEntries(passing.map(([key, value]) => [key, pulumi.secret(value)])),
      },
      logging: "stderr",
      addPreviousOutputInEnv: false,
    },
    { ...opts, ignoreChanges: missing ? [] : ofTheMoment },
  );
}

/** Runs a step as a Command and returns the manifest that it prints, of the type M. */
export function step<M extends object>(
  name: string,
  args: StepArgs,
  parent: pulumi.Resource,
  dependsOn?: pulumi.ResourceOptions["dependsOn"],
): pulumi.Output<M> {
  const given = args.artifact?.key;
  const key = isPlanned() && pulumi.Output.isInstance(given) ? undefined : given;
  const make = (known?: string) => {
    const { stamp, missing } = args.artifact ? lookAt(args.artifact.path, known) : {};
    const command = commandFor(name, args, missing, { parent, dependsOn });
    return { stamp: key === given ? stamp : undefined, missing, command };
  };
  // Whether a file is of these inputs shows when they are known; where a preview cannot know them, they change.
  const made = pulumi.Output.isInstance(key) ? known(key).then(make) : make(key as string | undefined);
  noteForPreview(name, args.input, made);
  return pulumi.output(made).apply(({ stamp, command }) =>
    // A manifest holds digests and paths, no secret, whatever went in.
    printed(command.stdout, args.artifact).apply((text) => {
      const manifest = JSON.parse(text) as M;
      // A cache was emptied, and another stack has made the same again: what lies there counts, not what once did.
      const held = stamp && "sha256" in manifest && { sha256: stamp.sha256, bytes: stamp.bytes };
      return { ...manifest, ...held };
    }),
  );
}
