"use strict";

const { readFileSync, readdirSync } = require("node:fs");
const { join } = require("node:path");
const { parseArgs } = require("node:util");
const { selectedStack } = require("./environment.cjs");

/** @typedef {import("./process.cjs").Env} Env */

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

/**
 * What a stack's file says of a key.
 *
 * @param {string} path
 * @param {string} key
 */
const keyIn = (path, key) =>
  valueIn(
    path,
    new RegExp(`^\\s+["']?(?:bootstrap-pxe:(?:config:)?)?${key}["']?:\\s*["']?([^\\s"'#]+)`, "m"),
  );

/** @param {string} path @param {string} top */
const versionIn = (path, top) => keyIn(path, "talosVersion") ?? defaultVersion(top);

/**
 * @param {string} top
 * @param {string} stack
 */
const versionOfStack = (top, stack) => versionIn(join(top, `Pulumi.${stack}.yaml`), top);

/** Whether a stack serves images. @param {string} top @param {string} stack */
const isOffline = (top, stack) => keyIn(join(top, `Pulumi.${stack}.yaml`), "offline") === "true";

/** @param {string} top */
const stacksOfCheckout = (top) =>
  readdirSync(top).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);

/**
 * The releases of Talos that a checkout's stacks are for, the default first.
 *
 * @param {string} top
 */
function versionsOfCheckout(top) {
  return [defaultVersion(top), ...stacksOfCheckout(top).map((stack) => versionOfStack(top, stack))];
}

/**
 * What a command of the Pulumi CLI is about: the file of its stack, and what its arguments say of a key, which comes first.
 *
 * @param {string[]} args
 * @param {string} key
 * @param {{ env: Env, top: string }} context
 */
function aboutOfPulumi(args, key, { env, top }) {
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
    const [named, value] = String(pair).split(/=(.*)/s);
    return named === key || named === `bootstrap-pxe:${key}` ? [value ?? ""] : [];
  });
  const file = values["config-file"];
  const stack = String(values.stack || env.PULUMI_STACK || selectedStack({ env, top }))
    .split("/")
    .at(-1);
  return { given: given.at(-1), path: typeof file === "string" ? file : join(top, `Pulumi.${stack}.yaml`) };
}

/**
 * The release of Talos that a command of the Pulumi CLI is about.
 *
 * @param {string[]} args
 * @param {{ env: Env, top: string }} context
 */
function versionOfPulumi(args, context) {
  const { given, path } = aboutOfPulumi(args, "talosVersion", context);
  return given || versionIn(path, context.top);
}

/**
 * Whether a command of the Pulumi CLI is about a stack that serves images.
 *
 * @param {string[]} args
 * @param {{ env: Env, top: string }} context
 */
function offlineOfPulumi(args, context) {
  const { given, path } = aboutOfPulumi(args, "offline", context);
  return (given || keyIn(path, "offline")) === "true";
}

module.exports = {
  defaultVersion,
  isOffline,
  offlineOfPulumi,
  stacksOfCheckout,
  versionOfPulumi,
  versionOfStack,
  versionsOfCheckout,
};
