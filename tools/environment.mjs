// The environment that the tools run in: their places, Pulumi's backend and passphrase.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's top folder. */
export const TOP = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where set-up keeps what it brings; BOOTSTRAP_PXE_CACHE names another place. */
export function cacheFolder() {
  const { BOOTSTRAP_PXE_CACHE: own, XDG_CACHE_HOME: xdg, HOME: home = homedir() } = process.env;
  return own || join(xdg || join(home, ".cache"), "bootstrap-pxe");
}

/** Says whether Pulumi's real plugins or this project's stand-ins serve. Set-up writes it. */
export const pluginsMark = () => join(cacheFolder(), "plugins");

export const standInsServe = () =>
  existsSync(pluginsMark()) && readFileSync(pluginsMark(), "utf8") === "stand-ins";

function loggedInElsewhere() {
  if (process.env.PULUMI_BACKEND_URL || process.env.PULUMI_ACCESS_TOKEN) return true;
  const credentials = join(process.env.PULUMI_HOME || join(homedir(), ".pulumi"), "credentials.json");
  return existsSync(credentials) && Boolean(JSON.parse(readFileSync(credentials, "utf8")).current);
}

/** A backend in the checkout, for who is logged in nowhere, with a passphrase made once. */
function ownBackend() {
  const folder = join(TOP, ".pulumi-state");
  mkdirSync(folder, { recursive: true });
  /** @type {Record<string, string>} */
  const env = { PULUMI_BACKEND_URL: `file://${folder}` };
  if (process.env.PULUMI_CONFIG_PASSPHRASE === undefined && !process.env.PULUMI_CONFIG_PASSPHRASE_FILE) {
    const file = join(TOP, ".pulumi-passphrase");
    if (!existsSync(file)) {
      writeFileSync(file, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
      process.stderr.write(
        "bootstrap-pxe: made a passphrase for Pulumi's secrets in .pulumi-passphrase; keep it with .pulumi-state\n",
      );
    }
    env.PULUMI_CONFIG_PASSPHRASE_FILE = file;
  }
  return env;
}

/** @returns {Record<string, string | undefined>} the whole environment for Pulumi and the steps */
export function toolEnvironment() {
  const cache = cacheFolder();
  const standIns = standInsServe() ? [join(TOP, "tools/plugins/bin")] : [];
  const path = [
    ...standIns,
    join(cache, "bin"),
    process.env.PATH ?? "",
    "/usr/sbin",
    "/sbin",
    join(cache, "checkers/bin"),
  ];
  return {
    ...process.env,
    ...(loggedInElsewhere() ? {} : ownBackend()),
    ...(standIns.length > 0 ? { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" } : {}),
    BOOTSTRAP_PXE_CACHE: cache,
    PATH: path.join(":"),
    PACKER_PLUGIN_PATH: process.env.PACKER_PLUGIN_PATH || join(cache, "packer-plugins"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}
