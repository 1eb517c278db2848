"use strict";

const { basename } = require("node:path");
const {
  MOST_LIST_BYTES,
  curlFault,
  curlFlags,
  curlListFlags,
  isPage,
  transferLimits,
} = require("../../steps/store/transfer.cjs");
const { runTool } = require("./process.cjs");
const { sha256Of } = require("./stamps.cjs");

/** @typedef {import("./context.cjs").Context} Context */

/** As curl does, with a pause that doubles each time. */
const RETRY = ["--retry", "2"];

/**
 * Runs curl.
 *
 * @param {string[]} args
 * @param {import("./process.cjs").Env} env
 * @param {{ busy?: (seconds: number) => void, mostBytes?: number }} [options]
 * @returns {Promise<string>} what it printed
 * @throws Error with its own reason in one line, and what to do where time alone does not help
 */
async function curl(args, env, options = {}) {
  try {
    return await runTool("curl", args, { env, ...options });
  } catch (thrown) {
    const { message, stderr = "" } = /** @type {Error & { stderr?: string }} */ (thrown);
    const fault = curlFault(stderr);
    const help = fault?.tries === 1 && fault.help;
    throw new Error(fault ? `${fault.words}${help ? `. ${help}` : ""}` : message);
  }
}

/**
 * Why nothing answers at an origin within three seconds, if nothing does; asked once a run. Curl, because it knows of
 * proxies.
 *
 * @param {string} origin
 * @param {Context} context
 * @returns {Promise<string | undefined>}
 */
function whyUnreachable(origin, { env, probed }) {
  const known = probed.get(origin);
  if (known) return known;
  const flags = ["--silent", "--show-error", "--head", "--connect-timeout", "2", "--max-time", "3"];
  const probe = curl([...flags, "--output", "/dev/null", origin], env).then(
    () => undefined,
    (fault) => /** @type {Error} */ (fault).message,
  );
  probed.set(origin, probe);
  return probe;
}

/**
 * @param {string | undefined} origin none is always there
 * @param {Context} context
 * @throws Error when it is not reachable
 */
async function answers(origin, context) {
  const why = origin && (await whyUnreachable(origin, context));
  if (why) throw new Error(`${origin} does not answer: ${why}`);
}

/**
 * The digest of a file in a list as sha256sum writes it.
 *
 * @param {string} list
 * @param {string} name
 */
function digestIn(list, name) {
  const line = list
    .split("\n")
    .find((line) => line.replace(/^[0-9a-f]{64}\s+[*]?(\.\/)?/i, "").trim() === name);
  return line?.slice(0, 64).toLowerCase();
}

/**
 * Fetches a file and holds it to the list of checksums that its maker publishes beside it.
 *
 * @param {{ url: string, sums: string }} from
 * @param {string} target
 * @param {Context} context
 * @param {(seconds: number) => void} [busy]
 * @throws Error when either cannot be had or they do not agree
 */
async function download({ url, sums }, target, { env }, busy) {
  const [name, limits] = [basename(url), transferLimits(env)];
  const list = await curl([...curlListFlags(limits), ...RETRY, sums], env, { mostBytes: MOST_LIST_BYTES });
  const expected = digestIn(list, name);
  if (!expected && isPage(list)) throw new Error(`${sums} is a page of HTML, as a login page is`);
  if (!expected) throw new Error(`${sums} does not list ${name}`);
  await curl([...curlFlags(limits), ...RETRY, "--output", target, url], env, { busy });
  const got = sha256Of(target);
  if (got !== expected) throw new Error(`${url} has sha256 ${got}, but ${sums} says ${expected}`);
}

module.exports = { whyUnreachable, answers, download, digestIn };
