// Brings what this machine lacks: npm run setup [-- --yes] [--for use|demo|test]. Runs before there is any dependency.
import { parseArgs } from "node:util";
import { announceStandIns } from "./setup/stand-ins.cjs";
import { makeContext } from "./setup/context.cjs";
import { setUp } from "./setup/setup.cjs";

const USAGE =
  "npm run setup -- [--yes] [--for use|demo|test]: use is what your own stacks want, demo (the default) the demo too, test all";

try {
  const { values } = parseArgs({
    options: { yes: { type: "boolean" }, for: { type: "string", default: "demo" } },
  });
  if (!["use", "demo", "test"].includes(values.for))
    throw new TypeError(`--for ${values.for}: it is use, demo or test`);
  const context = makeContext({
    ask: !values.yes && process.env.CI !== "true" && process.stdin.isTTY === true,
  });
  const started = Date.now();
  const didSomething = await setUp({ demo: values.for !== "use", tests: values.for === "test" }, context);
  const took = didSomething ? `, ${Math.round((Date.now() - started) / 1000)} s` : "";
  context.log(`Set-up: everything is in place (${context.cache})${took}.`);
  await announceStandIns(context);
} catch (fault) {
  const { message } = /** @type {Error} */ (fault);
  process.stderr.write(`${message}\n${fault instanceof TypeError ? `${USAGE}\n` : ""}`);
  process.exitCode = 1;
}
