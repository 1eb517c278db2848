"use strict";

const { readFileSync, readdirSync } = require("node:fs");
const { join } = require("node:path");
const { parseArgs } = require("node:util");
const { selectedStack } = require("./environment.cjs");

/** @typedef {import("./process.cjs").Env} Env */

const KEY = "bootstrap-pxe:talosVersion";

/**
 * What a file says of a key. Set-up has no YAML parser before it has run, and neither file nests it deeper.
 *
 * @param {string} path
 * @param {RegExp} line its first group is the value
 */
function valueIn(path, line) {
  try {
    return line.exec(readFileSync(path, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

/** @param {string} top @returns {string} the release that a stack has which names none; empty when Pulumi.yaml is broken */
const defaultVersion = (top) =>
  valueIn(
    join(top, "Pulumi.yaml"),
    /^\s+bootstrap-pxe:talosVersion:\s*\n(?:\s+(?!default:)\w+:.*\n)*?\s+default:\s*["']?([^\s"'#]+)/m,
  ) ?? "";

/** @param {string} path @param {string} top */
const versionIn = (path, top) =>
  valueIn(path, /^\s+["']?(?:bootstrap-pxe:(?:config:)?)?talosVersion["']?:\s*["']?([^\s"'#]+)/m) ??
  defaultVersion(top);

/**
 * @param {string} top
 * @param {string} stack
 */
const versionOfStack = (top, stack) => versionIn(join(top, `Pulumi.${stack}.yaml`), top);

/**
 * The releases of Talos that a checkout's stacks are for, the default first.
 *
 * @param {string} top
 */
function versionsOfCheckout(top) {
  const stacks = readdirSync(top).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
  return [defaultVersion(top), ...stacks.map((stack) => versionOfStack(top, stack))];
}

/**
 * The release of Talos that a command of the Pulumi CLI is about.
 *
 * @param {string[]} args
 * @param {{ env: Env, top: string }} context
 */
function versionOfPulumi(args, { env, top }) {
  const { values } = parseArgs({
    args,
    options: {
      stack: { type: "string", short: "s" },
      config: { type: "string", short: "c", multiple: true },
      "config-file": { type: "string" },
    },
    strict: false,
  });
  const given = [values.config ?? []].flat().flatMap((pair) => {
    const [key, value] = String(pair).split(/=(.*)/s);
    return key === KEY || key === "talosVersion" ? [value ?? ""] : [];
  });
  const file = values["config-file"];
  const stack = String(values.stack || env.PULUMI_STACK || selectedStack({ env, top }))
    .split("/")
    .at(-1);
  return given.at(-1) || (typeof file === "string" ? versionIn(file, top) : versionOfStack(top, stack ?? ""));
}

module.exports = { defaultVersion, versionOfPulumi, versionOfStack, versionsOfCheckout };
