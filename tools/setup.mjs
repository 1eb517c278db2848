// Brings what this machine lacks: npm run setup [-- --yes] [--for use|demo|lint|test]. Runs before there is any dependency.
import { readCommandLine } from "./command-line.cjs";
import { SETUP } from "./commands.cjs";
import { announceStandIns } from "./setup/stand-ins.cjs";
import { makeContext } from "./setup/context.cjs";
import { setUp } from "./setup/setup.cjs";

const { values } = readCommandLine(SETUP);
const context = makeContext({
  ask: !values.yes && process.env.CI !== "true" && process.stdin.isTTY === true,
});
try {
  const started = Date.now();
  const didSomething = await setUp(/** @type {any} */ (values.for), context);
  const took = didSomething ? `, ${Math.round((Date.now() - started) / 1000)} s` : "";
  context.log(`Set-up: everything is in place (${context.cache})${took}.`);
  await announceStandIns(context);
} catch (fault) {
  process.stderr.write(`${/** @type {Error} */ (fault).message}\n`);
  process.exitCode = 1;
}
