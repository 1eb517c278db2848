import { toolEnvironment } from "../tools/setup/environment.cjs";
import { makeContext } from "../tools/setup/context.cjs";
import { sweepLeftovers } from "../tools/setup/leftovers.cjs";
import { inForeground } from "../tools/setup/pulumi.cjs";
import { setUp } from "../tools/setup/setup.cjs";

/** @typedef {import("../tools/setup/context.cjs").Context} Context */

/**
 * Sets up what this machine lacks, does work, and ends with its status, or with the fault's words.
 *
 * @param {Parameters<typeof setUp>[0]} scope
 * @param {(context: Context) => Promise<number>} work
 * @param {{ yes?: boolean, talosVersions?: string[], offline?: boolean }} [options] yes: never ask before the system is
 *   touched; talosVersions, offline: as of `setUp`
 */
export async function afterSetUp(scope, work, { yes = false, talosVersions, offline } = {}) {
  const ask = !yes && process.env.CI !== "true" && process.stdin.isTTY === true;
  const context = makeContext({ ask });
  try {
    sweepLeftovers(context);
    await setUp(scope, context, talosVersions, offline);
    process.exitCode = await work(context);
  } catch (fault) {
    context.log(/** @type {Error} */ (fault).message);
    process.exitCode = 1;
  } finally {
    sweepLeftovers(context);
  }
}

/**
 * Sets up what this machine lacks, then runs a TypeScript program of tools/ with the tools on its PATH and this one's
 * arguments, and ends as it does.
 *
 * @param {string} program a path from the checkout's top
 * @param {Parameters<typeof setUp>[0]} scope what it wants of set-up
 * @param {{ own?: boolean, talosVersions?: string[] }} [options] own: as of `toolEnvironment`; talosVersions: as of `setUp`
 */
export async function runWithTools(program, scope, { own = false, talosVersions } = {}) {
  await afterSetUp(
    scope,
    (context) =>
      runTypeScript(
        [program, ...process.argv.slice(2)],
        toolEnvironment(context, { standIns: false, own }),
        context,
      ),
    { talosVersions },
  );
}

/**
 * Runs a TypeScript program on this terminal.
 *
 * @param {string[]} program its path from the checkout's top, and its arguments
 * @param {import("../tools/setup/process.cjs").Env} env
 * @param {Context} context
 */
export function runTypeScript(program, env, { top }) {
  return inForeground("node", ["--import", "tsx", ...program], env, top);
}
