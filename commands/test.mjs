// npm test, npm run test:boots and npm run lint: set-up, then jest with its options and those of the command line.
import { readCommandLine } from "./command-line.cjs";
import { BOOTS, LINT, TEST } from "./commands.cjs";
import { inForeground } from "../tools/setup/pulumi.cjs";
import { afterSetUp } from "./with-tools.mjs";

const KINDS = {
  test: { command: TEST, jest: ["--ignoreProjects", "boots"] },
  boots: { command: BOOTS, jest: ["--selectProjects", "boots"] },
  lint: { command: LINT, jest: ["--selectProjects", "style"] },
};

const [, , scope, ...args] = process.argv;
const { command, jest } = KINDS[/** @type {keyof typeof KINDS} */ (scope)];
const { yes } = readCommandLine(command, args).values;
const given = args.filter((word) => word !== "--yes");

await afterSetUp(
  /** @type {keyof typeof KINDS} */ (scope),
  // An option with several values, as the projects to ignore are, takes whatever words follow it.
  (context) => inForeground("node_modules/.bin/jest", [...given, ...jest], context.env, context.top),
  { yes },
);
