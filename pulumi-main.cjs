// Pulumi starts here, and goes on in index.ts: tsx runs TypeScript as it is, in a tenth of ts-node's time, with every
// version of Pulumi's language host. Types are checked by `npm run lint`.
const { RunError } = require("@pulumi/pulumi");
const { missingLine } = require("./tools/preflight.cjs");

const missing = missingLine();
if (missing) throw new RunError(missing);
require("tsx/cjs");
module.exports = require("./index.ts");
