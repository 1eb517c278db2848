import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TOP } from "../stack/top";

let digests: Record<string, string> | undefined;

/**
 * What a step does, as a digest: of its code and that of all it imports from this project, without comments
 * and layout. So an edit that changes nothing rebuilds nothing.
 *
 * @param program a step's name, as in steps/
 */
export function codeDigest(program: string): string {
  // tools/compile.cjs wrote it before this program was loaded.
  const list = join(TOP, "artifacts", "cache", "code", "list.json");
  digests ??= (JSON.parse(readFileSync(list, "utf8")) as { digests: Record<string, string> }).digests;
  const found = digests[program];
  if (!found) throw new Error(`steps/${program}.ts is not there`);
  return found;
}
