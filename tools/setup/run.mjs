import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const HEARTBEAT_MS = 15_000;

/** One line for whoever waits. @param {string} line */
export const say = (line) => void process.stderr.write(`setup: ${line}\n`);

/** Whether a program (or, with a slash, a file) is there. @param {string} name @param {string} [path] */
export function which(name, path = process.env.PATH ?? "") {
  if (name.includes("/")) return existsSync(name) ? name : undefined;
  // Debian keeps administrators' programs off an ordinary user's PATH.
  const folders = [...path.split(":"), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/**
 * Runs a program to its end; rejects with its last words. Says every quarter of a minute that it still runs.
 * @param {string} program @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined>, label?: string }} [options]
 * @returns {Promise<string>} what it printed on stdout
 */
export function run(program, args, { cwd, env, label } = {}) {
  return new Promise((resolve, reject) => {
    const started = Date.now();
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const stop = () => child.kill("SIGTERM");
    process.once("exit", stop);
    const timer =
      label &&
      setInterval(() => say(`${label}: ${Math.round((Date.now() - started) / 1000)} s so far`), HEARTBEAT_MS);
    let stdout = "";
    let words = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (words = (words + chunk).slice(-4000)));
    const end = (/** @type {Error | undefined} */ fault) => {
      if (timer) clearInterval(timer);
      process.off("exit", stop);
      if (fault) reject(fault);
      else resolve(stdout);
    };
    child.on("error", end);
    child.on("close", (code, signal) => {
      const last = (words || stdout).trim().split("\n").slice(-3).join(" | ");
      end(
        code === 0
          ? undefined
          : new Error(`${program} ${args[0] ?? ""} ended with ${signal ?? code}: ${last}`),
      );
    });
  });
}
