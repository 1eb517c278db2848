"use strict";

const { parseArgs } = require("node:util");
const { explainTaken, takenByNpm } = require("../tools/setup/npm-options.cjs");

/** @typedef {NonNullable<import("node:util").ParseArgsConfig["options"]>} Options */
/**
 * The command line of an npm script.
 *
 * @template {Options} O
 * @typedef {object} Command
 * @property {string} name the npm script's
 * @property {string} usage
 * @property {O} options
 * @property {boolean} [passesOn] whether another program gets what the command does not know
 * @property {Record<string, readonly string[]>} [choices] options that take one of few values
 * @property {(given: ReturnType<typeof parseArgs<{ options: O, allowPositionals: true }>>) => string | undefined} [fault] what is
 *   wrong with the arguments, in a few words
 */

/** @type {Options} */
const HELP = { help: { type: "boolean", short: "h" } };

/** @param {string[]} args */
function asksForHelp(args) {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? undefined : end).some((word) => word === "--help" || word === "-h");
}

/**
 * Prints the usage and ends this process well.
 *
 * @param {{ usage: string }} command
 * @returns {never}
 */
function printUsage({ usage }) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}

/**
 * Ends this process with status 1 and words.
 *
 * @param {string} script
 * @param {string} words
 * @returns {never}
 */
function refuse(script, words) {
  process.stderr.write(`${script}: ${words}\n`);
  process.exit(1);
}

/**
 * Ends this process when npm kept options from its script that the script knows: what it would do without them is not
 * what was asked for.
 *
 * @param {string} script
 * @param {Options} options
 * @param {string[]} args
 */
function refuseTaken(script, options, args) {
  const given = (/** @type {string} */ name) =>
    args.some((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  const names = Object.keys(options).filter((name) => !given(name));
  const taken = takenByNpm(script, names, process.env);
  const flags = new Set(names.filter((name) => options[name]?.type === "boolean"));
  if (taken.length > 0) refuse(script, explainTaken(script, taken, args, flags));
}

/**
 * What the command line says. Help, and arguments that are wrong, end this process with the usage; so this comes before
 * any work.
 *
 * @template {Options} O
 * @param {Command<O>} command
 * @param {string[]} [args]
 */
function readCommandLine(command, args = process.argv.slice(2)) {
  const { name: script, usage, options, passesOn, choices = {}, fault } = command;
  if (asksForHelp(args)) printUsage(command);
  refuseTaken(script, { ...options, ...HELP }, args);
  /** @returns {never} */
  const misused = (/** @type {string} */ words) => refuse(script, `${words}. Right:\n${usage}`);
  /** @type {ReturnType<typeof parseArgs<{ options: O, allowPositionals: true }>>} */
  let given;
  try {
    given = parseArgs({ args, options, allowPositionals: true, strict: !passesOn });
  } catch (fault) {
    const { message } = /** @type {Error} */ (fault);
    // Node goes on to explain how a positional argument may begin with a dash.
    return misused(message.split(". To specify a positional")[0] ?? message);
  }
  for (const [name, known] of Object.entries(choices)) {
    const value = /** @type {Record<string, unknown>} */ (given.values)[name];
    if (value !== undefined && !known.includes(String(value)))
      misused(`--${name} ${String(value)} is not one of ${known.join(", ")}`);
  }
  const words = fault?.(given);
  if (words) misused(words);
  return given;
}

module.exports = { printUsage, readCommandLine, refuseTaken };
