import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { run, say, which } from "./run.mjs";
import { CHECKERS } from "./tools.mjs";

/** Node's dependencies, as package-lock.json has them. @param {string} top */
export async function ensureNodeModules(top) {
  const lock = createHash("sha256")
    .update(readFileSync(join(top, "package-lock.json")))
    .digest("hex");
  const mark = join(top, "node_modules/.bootstrap-pxe-lock");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  say("npm ci, from package-lock.json");
  // The plugins that npm's install scripts would fetch are Pulumi's own business.
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: top, label: "npm ci" });
  await writeFile(mark, lock);
}

/** @param {string} question */
async function agreed(question) {
  if (process.argv.includes("--yes") || process.env.CI === "true" || !process.stdin.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`setup: ${question} [Y/n] `);
  terminal.close();
  return !/^n/i.test(answer.trim());
}

/** The packages behind the programs that are missing. @param {Record<string, string>} wanted program to package */
export function missingPackages(wanted) {
  return [
    ...new Set(Object.entries(wanted).flatMap(([program, name]) => (which(program) ? [] : [name]))),
  ].sort();
}

let refreshed = false;
/** @param {string[]} sudo */
async function refreshLists(sudo) {
  if (refreshed) return;
  await run(sudo[0] ?? "apt-get", [...sudo.slice(1), ...(sudo.length ? ["apt-get"] : []), "update", "-q"], {
    label: "apt-get update",
  });
  refreshed = true;
}

/**
 * Installs what is missing of the system's packages, after saying what.
 * @param {Record<string, string>} wanted program to package
 */
export async function ensureSystemPackages(wanted) {
  const missing = missingPackages(wanted);
  if (missing.length === 0) return;
  const sudo = process.getuid?.() === 0 ? [] : ["sudo"];
  const command = [...sudo, "apt-get", "install", "-y", "-q", "--no-install-recommends", ...missing];
  if (!which("apt-get"))
    throw new Error(
      `these packages are missing, and there is no apt-get to bring them: ${missing.join(", ")}`,
    );
  say(`system packages: ${missing.join(" ")}`);
  if (!(await agreed("install them?")))
    throw new Error(`not installed: ${missing.join(", ")}; the command is: ${command.join(" ")}`);
  await refreshLists(sudo);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run(command[0] ?? "", command.slice(1), { env, label: "apt-get install" }).catch((fault) => {
    throw new Error(`system packages ${missing.join(" ")}: ${fault.message}`);
  });
}

/** All packages that one needs and this machine lacks, itself included. @param {string} name */
async function closure(name) {
  const flags = [
    "--recurse",
    "--no-recommends",
    "--no-suggests",
    "--no-conflicts",
    "--no-breaks",
    "--no-replaces",
    "--no-enhances",
  ];
  const listed = await run("apt-cache", ["depends", ...flags, name]);
  const names = new Set(listed.split("\n").filter((line) => /^[a-z0-9]/.test(line)));
  const installed = new Set(
    (await run("dpkg-query", ["-W", "-f", "${db:Status-Abbrev} ${Package}\n"]))
      .split("\n")
      .flatMap((line) => /^ii\s+(\S+)/.exec(line)?.[1] ?? []),
  );
  const libraries = [...names].filter((item) => /^lib/.test(item) && !installed.has(item));
  return [name, ...libraries];
}

/**
 * Unpacks the daemons that check rendered files into the cache, with the libraries that the machine lacks.
 * Installing them would start them.
 * @param {string} cache
 */
export async function ensureCheckers(cache) {
  const folder = join(cache, "checkers");
  for (const [program, name] of Object.entries(CHECKERS)) {
    const wrapper = join(folder, "bin", program);
    if (which(program) || existsSync(wrapper)) continue;
    say(`${program}, unpacked from ${name} to check files with, not installed`);
    await refreshLists(process.getuid?.() === 0 ? [] : ["sudo"]);
    const work = join(folder, `.${program}.partial-${process.pid}`);
    await mkdir(work, { recursive: true });
    try {
      // apt's own user may not write here; as root it may without the sandbox.
      await run("apt-get", ["download", "-q", "-o", "APT::Sandbox::User=root", ...(await closure(name))], {
        cwd: work,
        label: program,
      });
      for (const deb of await readdir(work))
        if (deb.endsWith(".deb")) await run("dpkg-deb", ["-x", join(work, deb), join(work, "root")]);
      await rm(join(folder, program), { recursive: true, force: true });
      await rename(join(work, "root"), join(folder, program));
    } finally {
      await rm(work, { recursive: true, force: true });
    }
    const root = join(folder, program);
    const libraries = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"]
      .map((place) => join(root, place))
      .join(":");
    const binary = [`${root}/usr/sbin/${program}`, `${root}/usr/bin/${program}`].find((file) =>
      existsSync(file),
    );
    if (!binary) throw new Error(`${name} holds no ${program}`);
    await mkdir(join(folder, "bin"), { recursive: true });
    await writeFile(`${wrapper}.partial`, `#!/bin/sh\nLD_LIBRARY_PATH=${libraries} exec ${binary} "$@"\n`);
    await chmod(`${wrapper}.partial`, 0o755);
    await rename(`${wrapper}.partial`, wrapper);
  }
}
