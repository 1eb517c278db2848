import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { intact, type Stamp } from "../steps/store/files";
import type { InputOf, ManifestOf, StepName } from "../steps/contracts/contracts";
import { TOP } from "../stack/top";
import { keyOf } from "./identity";
import { step, type StepArgs } from "./step";
import { codeDigest } from "./step-code";

/** What is the same in two files, whatever their place. */
export type Content = Pick<Stamp, "sha256">;

/** What a step is told of the artifact that it makes. */
export interface Named {
  /** Digest over the artifact's identity and the step's code: equal keys mean equal content. */
  key: string;
  /** Where it goes, from the checkout's top. */
  path: string;
  /** Digest of the step's code, which is an input as well. */
  code: string;
}

/** @template S what the artifact is made of; @template K what of that names it */
export interface ArtifactArgs<P extends StepName, S extends K, K extends object> extends Omit<
  StepArgs<P>,
  "input" | "artifact"
> {
  /** What it is made of; an output where a step before makes that. */
  sources: S | pulumi.Output<S>;
  /** What of an output's sources names the artifact, where that is known before the step before has run. */
  known?: K;
  /** What tells it from others that this step makes. The digest of the step's code is added. */
  identity: (sources: K) => object;
  /** Where it goes, from the checkout's top: one place for whatever is made of these inputs, or one for each key. */
  path: string | ((key: string) => string);
  /** What the step is given. */
  input: (named: Named, sources: S) => InputOf<P> & Pick<Named, "key" | "path" | "code">;
}

/** A file that a step makes, identified by what it is made of, so that the same is not made twice. */
export interface Artifact<P extends StepName> {
  /** What its step printed. */
  manifest: pulumi.Output<ManifestOf<P>>;
  /** What an earlier run made of the same, while it is intact and its sources are known before any step has run. */
  present?: Stamp;
}

/** Has a step make a file, unless what is there was made of the same sources by the same code. */
export function artifact<P extends StepName, S extends K, K extends object>(
  name: string,
  { sources, known, identity, path, input, ...args }: ArtifactArgs<P, S, K>,
  parent: pulumi.Resource,
  dependsOn?: pulumi.ResourceOptions["dependsOn"],
): Artifact<P> {
  const code = codeDigest(args.program);
  const named = (of: K): Named => {
    const key = keyOf({ ...identity(of), code });
    return { key, path: typeof path === "string" ? path : path(key), code };
  };
  const given = (of: S) => input(named(of), of);
  // Of what a step makes, the type does not follow from isInstance, which knows no more than Output<unknown>.
  const later = pulumi.Output.isInstance(sources) ? sources : undefined;
  const first = later ? known && named(known) : named(sources as S);
  const stamp = first && intact(join(TOP, first.path));
  const present = stamp?.key === first?.key ? stamp : undefined;
  const manifest = step(
    name,
    {
      ...args,
      input: later?.apply(given) ?? given(sources as S),
      artifact:
        typeof path === "string"
          ? { path, key: later?.apply((of) => named(of).key) ?? first?.key }
          : { path: first?.path },
    },
    parent,
    // A file that is there already costs no time.
    present ? undefined : dependsOn,
  );
  return { manifest, present };
}
