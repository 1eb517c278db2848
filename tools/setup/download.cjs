"use strict";

const { createHash } = require("node:crypto");
const { createReadStream } = require("node:fs");
const { basename } = require("node:path");
const { run } = require("./process.cjs");

/** @typedef {import("./context.cjs").Context} Context */

const CURL = ["--fail", "--location", "--silent", "--show-error", "--connect-timeout", "3"];

/**
 * Whether anything answers at an origin within three seconds; asked once a run. Curl, because it knows of proxies.
 *
 * @param {string} origin
 * @param {Context} context
 */
function reachable(origin, { env, probed }) {
  const args = [
    "--silent",
    "--head",
    "--connect-timeout",
    "2",
    "--max-time",
    "3",
    "--output",
    "/dev/null",
    origin,
  ];
  const known = probed.get(origin);
  if (known) return known;
  const probe = run("curl", args, { env }).then(
    () => true,
    () => false,
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
  if (origin && !(await reachable(origin, context))) throw new Error(`${origin} does not answer`);
}

/** @param {string} path */
async function sha256File(path) {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
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
  const name = basename(url);
  const expected = digestIn(await run("curl", [...CURL, "--retry", "2", sums], { env }), name);
  if (!expected) throw new Error(`${sums} does not list ${name}`);
  await run("curl", [...CURL, "--retry", "2", "--output", target, url], { env, busy });
  const got = await sha256File(target);
  if (got !== expected) throw new Error(`${url} has sha256 ${got}, but ${sums} says ${expected}`);
}

module.exports = { reachable, answers, download, digestIn };
