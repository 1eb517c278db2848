import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { intact, type Stamp } from "../steps/store/files";
import { known, lastRunPath, noteForPreview } from "./preview";
import { CONTRACTS, type InputOf, type ManifestOf, type StepName } from "../steps/contracts/contracts";
import { TOP } from "../stack/top";

interface Artifact {
  path?: string;
  key?: pulumi.Input<string>;
}

export interface StepArgs<P extends StepName> {
  /** Program in steps/, without its ending. */
  program: P;
  /** What the program reads from stdin, as JSON. No secret goes here: it is shown in previews. */
  input: pulumi.Input<InputOf<P>>;
  /**
   * File that the step makes, when it makes one. While it is gone or altered, or of another key than the one given,
   * the step runs again. Its path counts from the checkout's top, and is unset while nothing tells it yet.
   */
  artifact?: Artifact;
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
  onDestroy?: "discard";
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
function printed(stdout: pulumi.Output<string>, { path, key }: Partial<Artifact> = {}) {
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
  { program, input, artifact, lock, settings, secrets, passingSecrets = {}, onDestroy }: StepArgs<StepName>,
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

/** A step's Command, with what is on disk of its artifact. */
interface Commanded {
  command: local.Command;
  /** Of what is there already, as far as it may count. */
  stamp?: Stamp;
  /** Why the artifact has to be made again. */
  missing?: string;
}

/** The Command of a step: at once, or once the key is known that tells whether its artifact is of these inputs. */
function commanded<P extends StepName>(
  name: string,
  args: StepArgs<P>,
  opts: pulumi.ResourceOptions,
): Commanded | Promise<Commanded> {
  const given = args.artifact?.key;
  // A plan binds the Command as its preview saw it, when the key was not known.
  const key = isPlanned() && pulumi.Output.isInstance(given) ? undefined : given;
  const withKey = (known?: string): Commanded => {
    const { stamp, missing } = args.artifact ? lookAt(args.artifact.path, known) : {};
    return {
      command: commandFor(name, args, missing, opts),
      stamp: key === given ? stamp : undefined,
      missing,
    };
  };
  return pulumi.Output.isInstance(key) ? known(key).then(withKey) : withKey(key as string | undefined);
}

/** What a step printed, by its contract. */
const manifestIn = <P extends StepName>(program: P, text: string) =>
  CONTRACTS[program].Manifest.parse(JSON.parse(text)) as ManifestOf<P>;

/** A cache was emptied, and another stack has made the same again: what lies there counts, not what once did. */
function asItLies<M extends object>(manifest: M, stamp: Stamp | undefined): M {
  return stamp && "sha256" in manifest ? { ...manifest, sha256: stamp.sha256, bytes: stamp.bytes } : manifest;
}

/** Runs a step as a Command and returns the manifest that it prints. */
export function step<P extends StepName>(
  name: string,
  args: StepArgs<P>,
  parent: pulumi.Resource,
  dependsOn?: pulumi.ResourceOptions["dependsOn"],
): pulumi.Output<ManifestOf<P>> {
  const made = commanded(name, args, { parent, dependsOn });
  noteForPreview(name, args.input, made);
  // A manifest holds digests and paths, no secret, whatever went in.
  const manifest = pulumi
    .output(made)
    .apply(({ stamp, command }) =>
      printed(command.stdout, args.artifact).apply((text) => asItLies(manifestIn(args.program, text), stamp)),
    );
  return manifest;
}
