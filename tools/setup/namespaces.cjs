"use strict";

const { readFileSync } = require("node:fs");
const { userInfo } = require("node:os");
const { join } = require("node:path");
const { runTool } = require("./process.cjs");

/** @typedef {import("./context.cjs").Context} Context */

/** Settings of the kernel that forbid users namespaces of their own, and the value that allows them. */
const SETTINGS = [
  { name: "kernel.unprivileged_userns_clone", forbids: "0", allows: "1" },
  { name: "user.max_user_namespaces", forbids: "0", allows: "10000" },
  { name: "kernel.apparmor_restrict_unprivileged_userns", forbids: "1", allows: "0" },
];

/** @param {string} path */
function contentOf(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/**
 * What gives a user the ids that a user namespace of theirs maps, newuidmap(1); undefined where they have them, or are root.
 *
 * @param {string} [username]
 * @param {string} [root] where the system's files are
 */
function rangesCommand(username = userInfo().username, root = "/") {
  if (process.getuid?.() === 0) return undefined;
  const hasRange = (/** @type {string} */ file) =>
    contentOf(join(root, "etc", file))
      .split("\n")
      .some((line) => line.startsWith(`${username}:`));
  const ranges = ["subuid", "subgid"].filter((file) => !hasRange(file));
  if (ranges.length === 0) return undefined;
  return `usermod ${ranges.map((file) => `--add-${file}s 100000-165535`).join(" ")} ${username}`;
}

/**
 * One line on why this user cannot make user namespaces, which the demo's base is made in, and how to allow them;
 * undefined where they can, or need none.
 *
 * @param {Context} context
 * @param {string} [root] where the system's files are
 * @returns {Promise<string | undefined>}
 */
async function namespacesLine({ env }, root = "/") {
  if (process.getuid?.() === 0) return undefined;
  try {
    await runTool("mmdebstrap", ["--unshare-helper", "true"], { env });
    return undefined;
  } catch (fault) {
    const { message, stderr = "" } = /** @type {Error & { stderr?: string }} */ (fault);
    // What fails after its first words follows from them.
    const said = (/\S.*/.exec(stderr)?.[0] ?? message).trim();
    const { username } = userInfo();
    const closed = SETTINGS.filter(
      ({ name, forbids }) => contentOf(join(root, "proc/sys", name.replace(".", "/"))).trim() === forbids,
    ).map(({ name, allows }) => `sudo sysctl -w ${name}=${allows}`);
    const ranges = rangesCommand(username, root);
    if (ranges) closed.push(`sudo ${ranges}`);
    const how = closed.length > 0 ? closed.join(" && ") : "in a container, its runtime has to allow them";
    return (
      `The demo's base is made by mmdebstrap in a user namespace, which ${username} cannot make here (${said}). ` +
      `To allow it: ${how}. Or run npm run demo as root.`
    );
  }
}

module.exports = { namespacesLine, rangesCommand };
