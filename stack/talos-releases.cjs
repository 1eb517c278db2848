"use strict";

/**
 * The releases of Talos whose own generator and loader set-up brings, one a minor, the oldest first: the newest patch release
 * whose `pkg/machinery` module proxies have (tools/go/talos-config).
 */
const RELEASES = ["1.9.5", "1.10.9", "1.11.6", "1.12.6", "1.13.6", "1.14.1"];

/** The same by minor, as 1.11. */
const LOADERS = Object.fromEntries(RELEASES.map((release) => [release.replace(/\.\d+$/, ""), release]));

/** Their minors, the oldest first. */
const MINORS = Object.keys(LOADERS);

/**
 * @typedef {object} Loader
 * @property {string} minor of its release, as 1.11
 * @property {string} release as v1.11.6
 * @property {string} program that set-up makes or brings
 * @property {boolean} isOwn whether it is of the minor that was asked for
 */

/**
 * Which loader generates and checks for a release of Talos: that of its minor, to which a pre-release belongs, or the one
 * nearest to a minor that nothing here knows.
 *
 * @param {string} talosVersion as v1.11.6
 * @returns {Loader | undefined} undefined for what is no version
 */
function loaderFor(talosVersion) {
  const [, major, minor] = (/^v?(\d+)\.(\d+)(?:[.+-]|$)/.exec(talosVersion) ?? []).map(Number);
  if (major === undefined || minor === undefined) return undefined;
  const isKnown = `${major}.${minor}` in LOADERS;
  const isOld = major < 1 || (major === 1 && minor < Number(MINORS[0]?.split(".")[1]));
  const nearest = /** @type {string} */ (isOld ? MINORS[0] : MINORS.at(-1));
  const found = isKnown ? `${major}.${minor}` : nearest;
  return { minor: found, release: `v${LOADERS[found]}`, program: `talos-config-${found}`, isOwn: isKnown };
}

/** @param {string} version as v1.11.6 or v1.11.6-rc.1 @returns its third number; 0 where it has none */
const patchOf = (version) => Number(/^v?\d+\.\d+\.(\d+)/.exec(version)?.[1] ?? 0);

/**
 * One line on a release whose machine configs another release's loader checks, be it only a later patch release than the
 * loader's; undefined where its own does, or that of a later patch release.
 *
 * @param {string} talosVersion
 */
function borrowedLoaderLine(talosVersion) {
  const loader = loaderFor(talosVersion);
  if (!loader) return undefined;
  if (loader.isOwn)
    return patchOf(talosVersion) > patchOf(loader.release)
      ? `The machine config of Talos ${talosVersion} is checked by the loader of Talos ${loader.release}, the last of that minor ` +
          `that this project knows: what ${talosVersion} checks anew shows only on the mini-PC.`
      : undefined;
  return (
    `This project does not know Talos ${talosVersion} yet: its machine config is checked by the loader of ` +
    `Talos ${loader.release}, which may refuse what is new in ${talosVersion}, and accept what that no longer takes.`
  );
}

module.exports = { LOADERS, MINORS, borrowedLoaderLine, loaderFor };
