import { createHash } from "node:crypto";
import { join } from "node:path";
import execa, { type Options } from "execa";
import { judgedByStatus } from "../steps/programs/process";
import { makeContext } from "../tools/setup/context.cjs";

export const TOP = join(__dirname, "..");

/** Where set-up keeps the programs that it brought. */
const TOOL_CACHE = makeContext().cache;

/** The environment that steps run in: the programs of set-up first, then the machine's. */
export const toolEnvironment = {
  PATH: [join(TOOL_CACHE, "bin"), process.env.PATH, "/usr/sbin", "/sbin"].join(":"),
  PACKER_PLUGIN_PATH: join(TOOL_CACHE, "packer-plugins"),
  CHECKPOINT_DISABLE: "1",
};

/** A pid that no process has: above the highest that there can be (Linux, PID_MAX_LIMIT). */
export const NO_PROCESS = 2 ** 22 + 1;

/** SHA-256 of a content, lower-case hex. */
export const sha256Of = (content: Buffer | string) => createHash("sha256").update(content).digest("hex");

/** Runs a program as a step would find it; a failure is a result. */
export function inToolEnvironment(program: string, args: string[], options: Options = {}) {
  const child = execa(program, args, {
    cwd: TOP,
    reject: false,
    all: true,
    // Of bytes, the last one may happen to be a line's end.
    stripFinalNewline: options.encoding !== null,
    ...options,
    env: { ...toolEnvironment, ...options.env },
  });
  return judgedByStatus(child);
}

/**
 * Runs a program that makes what a test needs.
 *
 * @returns what it printed
 * @throws Error with its words
 */
export async function tool(program: string, args: string[], input?: string | Buffer): Promise<string> {
  const { exitCode, all, stdout } = await inToolEnvironment(program, args, { input });
  if (exitCode !== 0) throw new Error(`${program}: ${all}`);
  return stdout;
}
