import { statSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { filePath, isFileUrl, splitQuery } from "../stack/source-url";
import { artifact, type Content } from "./artifact";
import type { ManifestOf } from "../steps/contracts/contracts";
import { TOP } from "../stack/top";

export interface Source {
  /** `https://` or `file://`. Its query is a secret, and no part of what names the source. */
  url: string;
  /** SHA-256; unset, a recorded one or the list beside the source counts. */
  sha256?: string;
  kind: "iso" | "qcow2";
  /** Where it goes, a path from the checkout's top. */
  path: string;
  /** Whether its maker publishes no checksum: where no list beside it does either, that of its first use counts. */
  isUnlisted?: boolean;
  /** Config keys that a message names. */
  setKeys: { url: string; sha256: string };
}

export type Fetched = ManifestOf<"fetch">;

/** A local source is looked at each time, since nothing else shows that it was replaced. */
function localState(url: string): string | undefined {
  const now = isFileUrl(url) ? statSync(filePath(url, TOP), { throwIfNoEntry: false }) : undefined;
  return now && `${now.size} bytes of ${now.mtime.toISOString()}`;
}

/**
 * Fetches and checks a source.
 *
 * @returns the fetched file, and what an earlier run fetched from the same, while that is intact:
 *   what was made from it can be found before this run has fetched anything
 */
export function fetchedFile(
  name: string,
  { path, setKeys, isUnlisted, url: whole, ...source }: Source,
  parent: pulumi.Resource,
  dependsOn?: pulumi.ResourceOptions["dependsOn"],
): { file: pulumi.Output<Fetched>; known?: Content } {
  const { url, query } = splitQuery(whole);
  const what = { ...source, url, localState: localState(url) };
  const { manifest, present } = artifact(
    name,
    {
      program: "fetch",
      sources: what,
      identity: () => what,
      path,
      input: ({ key, path, code }) => ({ key, path, setKeys, isUnlisted, ...what, code }),
      lock: `${path}.lock`,
      passingSecrets: { URL_QUERY: query },
    },
    parent,
    dependsOn,
  );
  return { file: manifest, known: present };
}
