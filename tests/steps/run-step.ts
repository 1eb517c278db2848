import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inToolEnvironment } from "../tools";

/** Runs a step as a Command does; its manifest when it succeeded, what it said in any case. */
export async function runStep(program: string, input: object, env: NodeJS.ProcessEnv = {}) {
  const ended = await inToolEnvironment("steps/run", [program], { input: JSON.stringify(input), env });
  const manifest = ended.exitCode === 0 ? (JSON.parse(ended.stdout) as Record<string, unknown>) : undefined;
  return { manifest, said: ended.stderr };
}

/** A folder for one test file, gone when it ends. */
export function testFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-")));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
