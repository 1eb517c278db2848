"use strict";

const { existsSync, mkdirSync, readdirSync, renameSync, rmSync } = require("node:fs");
const { homedir } = require("node:os");
const { join } = require("node:path");
const { scratch, stillAtIt } = require("./context.cjs");
const { answers } = require("./download.cjs");
const { goBuild } = require("./go.cjs");
const { runTool, which } = require("./process.cjs");
const { heldStamp, recipeDigest, writeStamp } = require("./stamps.cjs");
const { ownFolders } = require("./tools.cjs");
const { PINS, fits, versionIn } = require("./versions.cjs");

/** @typedef {import("./context.cjs").Context} Context */
/** @typedef {import("./tools.cjs").Failure} Failure */

const NAME = "packer-plugin-qemu";
const SOURCE = "github.com/hashicorp/qemu";
const PIN = /** @type {import("./versions.cjs").Pin} */ (PINS[NAME]);
const BUILD = {
  folder: `tools/go/${NAME}`,
  package: `github.com/hashicorp/${NAME}`,
  ldflags: `-X github.com/hashicorp/${NAME}/version.VersionPrerelease=`,
  output: NAME,
};

/** @param {Context} context */
const digestOf = ({ top }) => recipeDigest([PIN, BUILD], [join(top, BUILD.folder)]);

/** @param {Context} context */
function pluginHeld(context) {
  return heldStamp(context.cache, NAME, digestOf(context)) !== undefined;
}

/**
 * Plugins of a fitting version in the folders where Packer keeps them for this user.
 *
 * @param {Context} context
 */
function ownPlugins({ env }) {
  const home = env.HOME || homedir();
  const roots = [
    env.PACKER_PLUGIN_PATH,
    join(home, ".config/packer/plugins"),
    join(home, ".packer.d/plugins"),
  ];
  const folders = roots.filter((root) => root !== undefined).map((root) => join(root, SOURCE));
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
    .filter(
      (path) => path.endsWith("_linux_amd64") && fits(versionIn(path.slice(path.lastIndexOf("_v"))), PIN),
    );
}

/**
 * Has Packer itself install its QEMU plugin into the cache: this user's own, the official one, or one built from
 * pinned modules.
 *
 * @param {Context} context
 * @returns {Promise<Failure | undefined>}
 */
async function bringPackerPlugin(context) {
  const { cache, log, origins } = context;
  const title = `${NAME} ${PIN.version}`;
  const packer = which("packer", [join(cache, "bin"), ...ownFolders(context)]);
  if (!packer) return { what: title, tried: ["packer installs it, and there is no packer"] };

  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const busy = () => stillAtIt(context, title, started);
  const plugins = scratch(context);
  /** @param {string[]} what */
  const install = async (...what) => {
    const env = { ...context.env, PACKER_PLUGIN_PATH: plugins, CHECKPOINT_DISABLE: "1" };
    await runTool(packer, ["plugins", "install", ...what], { env, busy, limit: 10 * 60 });
  };
  const sources = [
    ...ownPlugins(context).map((path) => ({
      from: path,
      origin: undefined,
      bring: () => install("--path", path, SOURCE),
    })),
    {
      from: `packer plugins install ${SOURCE} ${PIN.version}`,
      origin: origins.github,
      bring: () => install(SOURCE, PIN.version),
    },
    {
      from: `Go modules (${BUILD.folder})`,
      origin: undefined,
      bring: async () => {
        const built = join(scratch(context), NAME);
        await goBuild(BUILD, built, context, busy);
        await install("--path", built, SOURCE);
      },
    },
  ];

  const tried = [];
  for (const { from, origin, bring } of sources) {
    try {
      await answers(origin, context);
      log(`${title}: from ${from}`);
      await bring();
    } catch (fault) {
      tried.push(`${from}: ${/** @type {Error} */ (fault).message}`);
      continue;
    }
    const target = join(cache, "packer-plugins", SOURCE);
    mkdirSync(join(target, ".."), { recursive: true });
    rmSync(target, { recursive: true, force: true });
    renameSync(join(plugins, SOURCE), target);
    const paths = readdirSync(target).map((file) => join(target, file));
    writeStamp(cache, NAME, { recipe: digestOf(context), from, version: PIN.version, paths });
    log(`${title}: done, ${seconds()} s`);
    return undefined;
  }
  return { what: title, tried };
}

module.exports = { bringPackerPlugin, pluginHeld };
