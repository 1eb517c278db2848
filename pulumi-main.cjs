// Pulumi starts here, and goes on in index.ts, bundled with what it imports: one file starts in a tenth of ts-node's
// time, with every version of Pulumi's language host. Types are checked by `npm run lint`.
const { Config, RunError, runtime } = require("@pulumi/pulumi");
const { systemFault } = require("./steps/frame/system-fault.cjs");
const { compile } = require("./tools/compile.cjs");
const { missingLine } = require("./tools/preflight.cjs");

module.exports = async () => {
  try {
    const config = new Config("bootstrap-pxe");
    // A preview runs no step.
    const missing = runtime.isDryRun()
      ? undefined
      : missingLine(config.get("talosVersion") ?? "", process.env, config.get("offline") === "true");
    if (missing) throw new RunError(missing);
    return await require(compile().program)();
  } catch (fault) {
    const judged = systemFault(fault);
    const shown = judged ? new RunError(`${judged.doing}: ${judged.found}. ${judged.next}`) : fault;
    // Pulumi formats every error's stack, and shows none for a RunError: under Node 20 that takes 15 s.
    if (RunError.isInstance(shown)) shown.stack = shown.message;
    throw shown;
  }
};
