// Pulumi starts here, and goes on in index.ts: tsx runs TypeScript as it is, in a tenth of ts-node's time, with every
// version of Pulumi's language host. Types are checked by `npm run lint`.
const { RunError } = require("@pulumi/pulumi");
const { missingLine } = require("./tools/preflight.cjs");

module.exports = async () => {
  try {
    const missing = missingLine();
    if (missing) throw new RunError(missing);
    require("tsx/cjs");
    return await require("./index.ts")();
  } catch (fault) {
    // Pulumi formats every error's stack, and shows none for a RunError: under Node 20 that takes 15 s.
    if (RunError.isInstance(fault)) fault.stack = fault.message;
    throw fault;
  }
};
