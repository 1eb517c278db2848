"use strict";

const { spawnSync } = require("node:child_process");
const { parseArgs } = require("node:util");

/** @typedef {import("./process.cjs").Env} Env */

/** What follows `up` on a terminal, other than by `up` itself: it says so, prints JSON, or shows secrets. */
const OWN_WORDS = ["json", "suppress-outputs", "show-secrets", "help"];

/** Columns from which Pulumi's table has room for what a step says, in an update too. */
const WIDE_ENOUGH = 110;

/** @param {string[]} args of the Pulumi CLI */
const read = (args) =>
  parseArgs({
    args,
    options: {
      stack: { type: "string", short: "s" },
      json: { type: "boolean", short: "j" },
      help: { type: "boolean", short: "h" },
    },
    strict: false,
  });

/**
 * Whether set-up prints the outputs itself after a command of the Pulumi CLI, in place of Pulumi's own list: that is sorted by
 * name, so that the next steps are not last, and cuts long lines.
 *
 * @param {string[]} args
 */
function tellsOutcome(args) {
  const { values, positionals } = read(args);
  return (
    ["up", "update"].includes(positionals[0] ?? "") &&
    args[0] === positionals[0] &&
    !OWN_WORDS.some((name) => values[name])
  );
}

/** @param {string[]} args of an `up`, without Pulumi's own list of outputs */
const withoutOutputs = ([up = "up", ...rest]) => [up, "--suppress-outputs", ...rest];

/** Columns of a terminal that nobody made wider. */
const NARROW = 80;

/**
 * A text in lines that are no longer than this, where its words allow it.
 *
 * @param {string} text
 * @param {number} width
 */
function wrap(text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (longer.length > width && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

/**
 * The outputs of a stack as a person reads them, the next steps last.
 *
 * @param {Record<string, unknown>} outputs
 */
function outcomeText({ nextSteps, ...outputs }) {
  const width = Math.max(...Object.keys(outputs).map((name) => name.length));
  const lines = Object.entries(outputs).flatMap(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const line = `  ${name.padEnd(width)}  ${text}`;
    if (line.length <= NARROW) return line;
    return [`  ${name}`, ...wrap(text, NARROW - 4).map((part) => `    ${part}`)];
  });
  const steps = Array.isArray(nextSteps) ? ["", "Next steps:", ...nextSteps.map((step) => `  ${step}`)] : [];
  return ["Outputs:", ...lines, ...steps, ""].join("\n");
}

/**
 * Prints the outputs of the stack that an `up` made.
 *
 * @param {string[]} args of that `up`
 * @param {Env} env
 * @param {string} cwd
 */
function tellOutcome(args, env, cwd) {
  const { values } = read(args);
  const stack = typeof values.stack === "string" ? ["--stack", values.stack] : [];
  const { status, stdout } = spawnSync("pulumi", ["stack", "output", "--json", ...stack], {
    env: /** @type {any} */ (env),
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status === 0) process.stdout.write(outcomeText(JSON.parse(stdout)));
}

/**
 * What to say of a terminal that is too narrow to show how far a step is; undefined of any other.
 *
 * @param {number | undefined} columns
 */
function narrowLine(columns) {
  if (columns === undefined || columns >= WIDE_ENOUGH) return undefined;
  return `${columns} columns cut what Pulumi's table says of a step's progress; ${WIDE_ENOUGH} show it.`;
}

module.exports = { narrowLine, outcomeText, tellOutcome, tellsOutcome, withoutOutputs };
