// Brings what this machine lacks: npm run setup [-- --yes] [--for use|demo|lint|test]. Runs before there is any dependency.
import { parseArgs } from "node:util";
import { announceStandIns } from "./setup/stand-ins.cjs";
import { makeContext } from "./setup/context.cjs";
import { setUp } from "./setup/setup.cjs";

const USAGE =
  "npm run setup -- [--yes] [--for use|demo|lint|test]: use is what your own stacks want, demo (the default) the demo too, lint what npm run lint does, test all";

try {
  const { values } = parseArgs({
    options: { yes: { type: "boolean" }, for: { type: "string", default: "demo" } },
  });
  if (!["use", "demo", "lint", "test"].includes(values.for))
    throw new TypeError(`--for ${values.for}: it is use, demo, lint or test`);
  const context = makeContext({
    ask: !values.yes && process.env.CI !== "true" && process.stdin.isTTY === true,
  });
  const started = Date.now();
  const didSomething = await setUp(/** @type {any} */ (values.for), context);
  const took = didSomething ? `, ${Math.round((Date.now() - started) / 1000)} s` : "";
  context.log(`Set-up: everything is in place (${context.cache})${took}.`);
  await announceStandIns(context);
} catch (fault) {
  const { message } = /** @type {Error} */ (fault);
  process.stderr.write(`${message}\n${fault instanceof TypeError ? `${USAGE}\n` : ""}`);
  process.exitCode = 1;
}
