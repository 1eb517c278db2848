// npm run pulumi -- ARGS: the Pulumi CLI of set-up, with the tools on its PATH.
import { parseArgs } from "node:util";
import { printUsage, refuseTaken } from "./command-line.cjs";
import { PULUMI_OPTIONS, PULUMI_USAGE } from "./commands.cjs";
import { TOP } from "../tools/setup/context.cjs";
import { runPulumi } from "../tools/setup/pulumi.cjs";
import { scopeOfPulumi } from "../tools/setup/setup.cjs";
import { offlineOfPulumi, versionOfPulumi } from "../tools/setup/talos-versions.cjs";
import { afterSetUp } from "./with-tools.mjs";

/** Commands that work on no stack, or choose the backend. */
const ASIDE = ["help", "login", "logout", "version", "about", "whoami", "plugin"];

const args = process.argv.slice(2);
if (["--help", "-h", undefined].includes(args[0])) printUsage({ usage: PULUMI_USAGE });
refuseTaken("pulumi", PULUMI_OPTIONS, args);
const { values, positionals } = parseArgs({
  args,
  options: { stack: { type: "string", short: "s" }, help: { type: "boolean", short: "h" } },
  strict: false,
});
// The demo's stack is in the checkout's own state, whatever the person is logged in to.
const own = values.stack === "demo" || positionals.join(" ") === "stack rm demo";
const sayBackend = !own && !values.help && !ASIDE.includes(positionals[0] ?? "");

const about = { env: process.env, top: TOP };
await afterSetUp(scopeOfPulumi(args), (context) => runPulumi([args], context, { own, sayBackend }), {
  talosVersions: [versionOfPulumi(args, about)],
  offline: offlineOfPulumi(args, about),
});
