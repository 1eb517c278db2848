// Brings what this machine lacks: npm run setup [-- --yes] [--for SCOPE] [--talos-version V]. Runs before there is any dependency.
import { readCommandLine } from "./command-line.cjs";
import { SETUP } from "./commands.cjs";
import { announceStandIns } from "../tools/setup/stand-ins.cjs";
import { makeContext } from "../tools/setup/context.cjs";
import { sweepLeftovers } from "../tools/setup/leftovers.cjs";
import { setUp } from "../tools/setup/setup.cjs";
import {
  defaultVersion,
  isOffline,
  stacksOfCheckout,
  versionsOfCheckout,
} from "../tools/setup/talos-versions.cjs";

const { values } = readCommandLine(SETUP);
const context = makeContext({
  ask: !values.yes && process.env.CI !== "true" && process.stdin.isTTY === true,
});
try {
  const started = Date.now();
  sweepLeftovers(context);
  const { for: scope, "talos-version": asked } = values;
  // Tests have stacks of their own.
  const known = ["test", "boots"].includes(scope)
    ? [defaultVersion(context.top)]
    : versionsOfCheckout(context.top);
  const offline = stacksOfCheckout(context.top).some((stack) => isOffline(context.top, stack));
  const versions = [...known, ...(asked ? [asked] : [])];
  const didSomething = await setUp(/** @type {any} */ (scope), context, versions, offline);
  const took = didSomething ? `, ${Math.round((Date.now() - started) / 1000)} s` : "";
  context.log(`Set-up: everything is in place (${context.cache})${took}.`);
  await announceStandIns(context);
} catch (fault) {
  process.stderr.write(`${/** @type {Error} */ (fault).message}\n`);
  process.exitCode = 1;
}
