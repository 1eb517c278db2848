"use strict";

const { createHash, randomBytes } = require("node:crypto");
const {
  existsSync,
  lstatSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} = require("node:fs");
const { join } = require("node:path");
const { fileURLToPath } = require("node:url");
const { quoted } = require("./npm-options.cjs");
const { directLoopback } = require("../proxies.cjs");
const { pulumiHome } = require("./context.cjs");
const { searchPath } = require("./process.cjs");
const { standInEnvironment, standInFolder } = require("./stand-ins.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {import("./process.cjs").Env} Env */

/** @param {string} top */
const stateFolder = (top) => join(top, ".pulumi-state");

/**
 * Where a file backend keeps what it has of one kind; undefined for any other backend.
 *
 * @param {Env} env
 * @param {...string} names of the folder, below Pulumi's own
 */
const folderOfBackend = ({ PULUMI_BACKEND_URL: backend }, ...names) =>
  backend?.startsWith("file:///") ? join(fileURLToPath(backend), ".pulumi", ...names) : undefined;

/** Pulumi reads it as a URL, in which these have a meaning of their own. @param {string} top */
const ownBackend = (top) => `file://${stateFolder(top).replace(/[%#?]/g, encodeURIComponent)}`;

/**
 * The backend that the person chose, by the environment or by logging in; undefined when there is none, or when it is
 * the checkout's own.
 *
 * @param {Pick<Context, "env" | "top">} context
 */
function chosenBackend({ env, top }) {
  const backend = env.PULUMI_BACKEND_URL || loggedIn(env) || (env.PULUMI_ACCESS_TOKEN && "Pulumi Cloud");
  return backend === ownBackend(top) ? undefined : backend;
}

/** @param {Env} env */
function loggedIn(env) {
  try {
    const folder = env.PULUMI_CREDENTIALS_PATH || pulumiHome(env);
    return String(JSON.parse(readFileSync(join(folder, "credentials.json"), "utf8")).current ?? "");
  } catch {
    return "";
  }
}

/**
 * Makes a home for Pulumi in the checkout, for work that no login of the person's may have a part in. Plugins are those
 * that the person has, and what is fetched goes there.
 *
 * @param {Pick<Context, "env" | "top">} context
 */
function ownHome({ env, top }) {
  const home = join(top, "artifacts", "pulumi-home");
  const [link, plugins] = [join(home, "plugins"), join(pulumiHome(env), "plugins")];
  mkdirSync(home, { recursive: true });
  if (plugins === link) return home;
  try {
    if (existsSync(link) && (!lstatSync(link).isSymbolicLink() || readlinkSync(link) === plugins))
      return home;
    mkdirSync(plugins, { recursive: true });
    rmSync(link, { force: true });
    symlinkSync(plugins, link);
  } catch (fault) {
    const { code = "" } = /** @type {NodeJS.ErrnoException} */ (fault);
    // Where the person's home cannot be written, Pulumi makes the folder here. Another run may have made the link.
    if (!["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST"].includes(code)) throw fault;
  }
  return home;
}

/**
 * A random passphrase in a file that only this user reads, made once for a checkout.
 *
 * @param {Context} context
 */
function passphraseFile({ top, log }) {
  const path = join(top, ".pulumi-passphrase");
  if (existsSync(path)) return path;
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, randomBytes(24).toString("base64url"), { mode: 0o600 });
  try {
    // A link refuses to replace: of two that start at once, both end with the same passphrase.
    linkSync(partial, path);
    log(`A passphrase for this checkout's stacks was made: ${path}. Keep it as long as they live.`);
  } catch (fault) {
    if (/** @type {NodeJS.ErrnoException} */ (fault).code !== "EEXIST") throw fault;
  } finally {
    rmSync(partial, { force: true });
  }
  return path;
}

/**
 * What the demo, tests and bench run Pulumi with, whatever the person is logged in to: a state, a passphrase and a home
 * in the checkout.
 *
 * @param {Pick<Context, "env" | "top">} context
 * @returns {Env} set over the person's environment; an undefined variable is to be unset
 */
function ownPulumi(context) {
  // Pulumi takes options from these, too.
  const options = Object.keys(context.env).filter((name) => name.startsWith("PULUMI_OPTION_"));
  return {
    ...Object.fromEntries(options.map((name) => [name, undefined])),
    PULUMI_BACKEND_URL: ownBackend(context.top),
    PULUMI_HOME: ownHome(context),
    PULUMI_ACCESS_TOKEN: undefined,
    PULUMI_CREDENTIALS_PATH: undefined,
    PULUMI_CONFIG_PASSPHRASE: undefined,
    PULUMI_CONFIG_PASSPHRASE_FILE: undefined,
  };
}

/**
 * The environment that the tools run in. Unless the person chose another backend, the state goes to a folder in the
 * checkout, which is made here, with its passphrase.
 *
 * @param {Context} context
 * @param {{ standIns: boolean, own?: boolean }} options standIns: serve plugins by the stand-ins, as `standIns()` tells;
 *   own: see `ownPulumi`
 * @returns {Env}
 */
function toolEnvironment(context, { standIns, own = false }) {
  const { top, cache } = context;
  const env = { ...context.env, ...(own && ownPulumi(context)) };
  const folders = [join(cache, "bin"), ...searchPath(env), ...(standIns ? [standInFolder(top)] : [])];
  /** @type {Env} */
  const made = {
    ...env,
    ...directLoopback(env),
    PATH: [...new Set(folders)].join(":"),
    PACKER_PLUGIN_PATH: join(cache, "packer-plugins"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // The language host of set-up loads ts-node whatever Pulumi.yaml says, which would check the types of the bundled program for ten seconds.
    TS_NODE_IGNORE: "/node_modules/,\\.cjs$",
    // A stack file without a salt, as the demo's is committed, takes it from the state.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    ...(standIns && {
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      ...standInEnvironment({ env, top }),
    }),
  };
  if (chosenBackend({ env, top })) return made;
  mkdirSync(stateFolder(top), { recursive: true });
  made.PULUMI_BACKEND_URL = ownBackend(top);
  if (env.PULUMI_CONFIG_PASSPHRASE === undefined && !env.PULUMI_CONFIG_PASSPHRASE_FILE) {
    made.PULUMI_CONFIG_PASSPHRASE_FILE = passphraseFile(context);
  }
  return made;
}

/**
 * The stacks of this project in the checkout's own state.
 *
 * @param {string} top
 */
function ownStacks(top) {
  const folder = join(stateFolder(top), ".pulumi", "stacks");
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
  return [...new Set(files.flatMap((name) => /([^/]+)\.json(\.gz)?$/.exec(name)?.[1] ?? []))].sort();
}

/**
 * The stack of this project that Pulumi remembers as selected, in whatever state it is.
 *
 * @param {Pick<Context, "env" | "top">} context
 */
function selectedStack({ env, top }) {
  const project = createHash("sha1").update(join(top, "Pulumi.yaml")).digest("hex");
  const path = join(pulumiHome(env), "workspaces", `bootstrap-pxe-${project}-workspace.json`);
  try {
    return (
      String(JSON.parse(readFileSync(path, "utf8")).stack ?? "")
        .split("/")
        .at(-1) ?? ""
    );
  } catch {
    return "";
  }
}

/**
 * The stacks that some other state has: their files have what only the making of a stack writes, or one is selected, and
 * the checkout's own state does not know them.
 *
 * @param {Pick<Context, "env" | "top">} context
 */
function stacksElsewhere(context) {
  const { top } = context;
  const made = readdirSync(top).flatMap((file) => {
    const [, stack = ""] = /^Pulumi\.(.+)\.yaml$/.exec(file) ?? [];
    if (!stack) return [];
    const text = readFileSync(join(top, file), "utf8");
    return /^(encryptionsalt|secretsprovider|encryptedkey):/m.test(text) ? [stack] : [];
  });
  const known = ["", ...ownStacks(top)];
  return [...new Set([...made, selectedStack(context)])].filter((stack) => !known.includes(stack));
}

/**
 * One line on the backend that serves, where stacks of this checkout are in another; else undefined.
 *
 * @param {Pick<Context, "env" | "top">} context
 * @returns {string | undefined}
 */
function backendLine(context) {
  const { top } = context;
  const backend = chosenBackend(context);
  // The demo's stack is always in the checkout's own state.
  const ownHere = ownStacks(top).filter((stack) => stack !== "demo");
  if (backend && ownHere.length > 0) {
    return (
      `Pulumi's state is in ${withoutSecrets(backend)}; this checkout's own state has ${ownHere.join(", ")}: ` +
      `PULUMI_BACKEND_URL=${quoted(ownBackend(top))} before the command takes that one.`
    );
  }
  const elsewhere = backend ? [] : stacksElsewhere(context).filter((stack) => stack !== "demo");
  if (elsewhere.length === 0) return undefined;
  return (
    `Pulumi's state is in ${stateFolder(top)}, which does not have ${elsewhere.join(", ")}: ` +
    "if another backend has, log in to it (npm run pulumi -- login URL) or set PULUMI_BACKEND_URL."
  );
}

/** A password may have an @ itself. @param {string} url */
const withoutSecrets = (url) => url.replace(/\/\/[^/?#]*@/, "//");

module.exports = {
  folderOfBackend,
  backendLine,
  chosenBackend,
  ownHome,
  ownPulumi,
  selectedStack,
  toolEnvironment,
};
