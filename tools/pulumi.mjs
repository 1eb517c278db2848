// npm run pulumi -- ARGS: the Pulumi CLI that set-up found or brought, in the environment that this project needs.
import { spawn } from "node:child_process";
import { standInsServe, toolEnvironment, TOP } from "./environment.mjs";
import { setUp } from "./setup.mjs";

/** Runs Pulumi to its end and returns its exit status. @param {string[]} args @returns {Promise<number>} */
export function pulumi(args) {
  if (standInsServe())
    process.stderr.write(
      "bootstrap-pxe: stand-ins serve for Pulumi's plugins command and random, which cannot be downloaded here\n",
    );
  const child = spawn("pulumi", args, { cwd: TOP, env: toolEnvironment(), stdio: "inherit" });
  // Ctrl-C reaches Pulumi by itself; it asks its steps to end, and this waits for it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

if (process.argv[1]?.endsWith("pulumi.mjs")) {
  try {
    await setUp();
    process.exitCode = await pulumi(process.argv.slice(2));
  } catch (fault) {
    process.stderr.write(`${/** @type {Error} */ (fault).message}\n`);
    process.exitCode = 1;
  }
}
