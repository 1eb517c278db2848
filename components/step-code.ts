import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildSync, type BuildOptions } from "esbuild";
import { writeWholeSync } from "../steps/lib/files";
import { digest, keyOf, TOP } from "./identity";

/** Digest of each step's code, by the step's name. */
type Digests = Record<string, string>;

const CACHE = join(TOP, "artifacts", "cache", "code");
const LIST = join(CACHE, "digests.json");

/** What the sources of all steps are now, without reading them. */
function sourcesState(): string {
  const folder = join(TOP, "steps");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const states = [...paths, join(TOP, "package-lock.json")].sort().map((path) => {
    const { size, mtimeMs, ino } = statSync(path);
    return [path, size, mtimeMs, ino];
  });
  return keyOf(states);
}

function build(options: BuildOptions): { name: string; text: string }[] {
  const entries = readdirSync(join(TOP, "steps")).filter((name) => name.endsWith(".ts"));
  const { outputFiles = [] } = buildSync({
    entryPoints: entries.map((name) => join(TOP, "steps", name)),
    bundle: true,
    platform: "node",
    legalComments: "none",
    minifyWhitespace: true,
    outdir: CACHE,
    outExtension: { ".js": ".cjs" },
    write: false,
    ...options,
  });
  return outputFiles.map(({ path, text }) => ({ name: path.slice(CACHE.length + 1, -".cjs".length), text }));
}

/**
 * Bundles every step into one file that Node starts three times as fast as TypeScript, for `steps/run`, and digests
 * what each one does.
 */
function compile(): Digests {
  const sources = sourcesState();
  const held = existsSync(LIST)
    ? (JSON.parse(readFileSync(LIST, "utf8")) as { sources: string; digests: Digests })
    : undefined;
  if (held?.sources === sources) return held.digests;

  for (const { name, text } of build({})) writeWholeSync(join(CACHE, `${name}.cjs`), text);
  const own = build({ packages: "external" });
  const digests = Object.fromEntries(own.map(({ name, text }) => [name, digest(text).slice(0, 20)]));
  writeWholeSync(LIST, JSON.stringify({ sources, digests }));
  return digests;
}

let digests: Digests | undefined;

/**
 * What a step does, as a digest: of its code and that of all it imports from this project, without comments
 * and layout. So an edit that changes nothing rebuilds nothing.
 *
 * @param program a step's name, as in steps/
 */
export function codeDigest(program: string): string {
  digests ??= compile();
  const found = digests[program];
  if (!found) throw new Error(`steps/${program}.ts is not there`);
  return found;
}
