"use strict";

const { existsSync, fstatSync, readdirSync, readFileSync } = require("node:fs");
const { basename, dirname, join, relative } = require("node:path");
const { parseArgs } = require("node:util");

/** @typedef {import("./context.cjs").Context} Context */

/**
 * What a command of the Pulumi CLI does to a stack as a whole, if it does.
 *
 * @param {string[]} args
 */
function stackCommand(args) {
  const { values, positionals } = parseArgs({
    args,
    options: { stack: { type: "string", short: "s" } },
    strict: false,
  });
  const [group, what = "", name] = positionals;
  const stack = (typeof values.stack === "string" ? values.stack : "").split("/").at(-1) ?? "";
  return group === "stack" ? { what, name: name?.split("/").at(-1), stack } : undefined;
}

/**
 * The images that a stack made and still has, paths from the checkout's top.
 *
 * @param {string} top
 * @param {string} stack
 */
function imagesOf(top, stack) {
  const folder = join(top, "artifacts", "bootstrap");
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return files
    .filter((file) => file.endsWith(".owner") && readFileSync(join(folder, file), "utf8").trim() === stack)
    .map((file) => join(folder, dirname(file), basename(file).slice(1, -".owner".length)))
    .filter((image) => existsSync(image))
    .map((image) => relative(top, image));
}

/**
 * Why a command of the Pulumi CLI must not run, if it must not. Pulumi takes an input that ends at once for an empty passphrase.
 *
 * @param {string[]} args
 * @returns {string | undefined}
 */
function refusalOf(args) {
  const { what, name } = stackCommand(args) ?? {};
  if (what !== "change-secrets-provider" || name !== "passphrase" || process.stdin.isTTY) return undefined;
  return fstatSync(0).isCharacterDevice()
    ? "changing the passphrase: the new one is read from a terminal or a pipe, and there is neither. " +
        "Run the same in a terminal."
    : undefined;
}

/**
 * What a person has to know after a command of the Pulumi CLI that went well, a line each.
 *
 * @param {string[]} args
 * @param {Pick<Context, "top"> & { selected?: string, passphraseFile?: string }} context selected: the stack that was, before;
 *   passphraseFile: the one that served
 * @returns {string[]}
 */
function linesAfter(args, { top, selected, passphraseFile }) {
  const { what, name, stack } = stackCommand(args) ?? {};
  if (what === "rm") {
    const gone = name || stack || selected;
    if (!gone) return [];
    return imagesOf(top, gone).map(
      (image) =>
        `Of the stack ${gone} there is still ${image}, which holds its secrets: remove it, or make a stack of the same ` +
        "bootstrapVersion and artifactName, which takes it over.",
    );
  }
  if (what === "rename")
    return ["The next up runs each step once more under the stack's new name, and finds what it made."];
  if (what === "change-secrets-provider" && name === "passphrase")
    return [
      "From now on the stack wants its new passphrase: set PULUMI_CONFIG_PASSPHRASE for its commands" +
        (passphraseFile ? `, since ${passphraseFile} has the old one, which other stacks keep.` : "."),
    ];
  return [];
}

module.exports = { linesAfter, refusalOf };
