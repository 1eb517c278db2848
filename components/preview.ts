import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { isMade, lastRun } from "../steps/frame/last-run";
import { explanation, verdict, type Verdict } from "./explanation";
import { TOP } from "../stack/top";

const previewed: Promise<Verdict>[] = [];

/** Looks at a part in a preview; an update has nothing to explain. */
function note(look: () => Promise<Verdict>): void {
  if (pulumi.runtime.isDryRun()) previewed.push(look());
}

/** Where a step's last run is remembered, a path from the checkout's top. */
export const lastRunPath = (name: string) => `artifacts/cache/runs/${pulumi.getStack()}/${name}.json`;

/** The value, or undefined while a preview cannot know it. */
export async function known<T>(value: pulumi.Input<T>): Promise<T | undefined> {
  // Both are the SDK's own, left out of its types (pulumi/pulumi, sdk/nodejs/output.ts).
  const output = pulumi.output(value) as unknown as { isKnown: Promise<boolean>; promise(): Promise<T> };
  return (await output.isKnown) ? output.promise() : undefined;
}

/** A step's resource, and why its artifact has to be made again, if it has to. */
interface Made {
  command: { stdout: pulumi.Output<string> };
  missing?: string;
}

/** Records a step, so that a preview can say whether it runs. */
export function noteForPreview(name: string, given: pulumi.Input<object>, made: Made | Promise<Made>): void {
  note(async () => {
    const input = await known(given);
    const { path } = (input ?? {}) as { path?: string };
    const { command, missing } = await made;
    return verdict({
      name,
      input,
      // A preview knows a step's output only if the step does not run.
      runs: (await known(command.stdout)) === undefined,
      isMade: input !== undefined && isMade({ ...input, path: path && join(TOP, path) }),
      missing,
      last: lastRun(join(TOP, lastRunPath(name))),
    });
  });
}

/**
 * Notes an object that is uploaded, which leaves no record of what it was given.
 *
 * @param artifact what it holds
 * @param etag known in a preview only while the object stays as it is
 */
export function noteUploadForPreview(
  name: string,
  artifact: pulumi.Output<object>,
  etag: pulumi.Output<string>,
): void {
  note(async () =>
    verdict({
      name,
      input: await known(artifact),
      runs: (await known(etag)) === undefined,
      isMade: false,
      missing: "the bucket does not have it, or what it holds or where it goes changed",
    }),
  );
}

const told: Promise<string>[] = [];

/** Adds a sentence to what a preview explains. */
export const tellInPreview = (sentence: string | Promise<string>): void =>
  void told.push(Promise.resolve(sentence));

/** Says in a preview which parts are reused, which run and why, and how long that takes. */
export async function explainPreview(): Promise<void> {
  if (previewed.length === 0) return;
  await pulumi.log.info([explanation(await Promise.all(previewed)), ...(await Promise.all(told))].join("\n"));
}
