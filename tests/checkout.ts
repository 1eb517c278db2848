import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import execa from "execa";
import { parse, stringify } from "yaml";
import { ownPulumi } from "../tools/setup/environment.cjs";
import { makeContext, TOP } from "../tools/setup/context.cjs";

/** A resource of a plan or an update, by its name, with what happens to it. */
export type Plan = Record<string, string>;

interface PreviewJson {
  steps: { op: string; urn: string }[];
}

/**
 * A copy of this checkout with state, artifacts and stacks of its own. What the demo made serves it: the layers are
 * linked, not copied, so that they count as untouched.
 */
export class Checkout {
  readonly top: string;
  /** Where its state is kept, and what its runs get beside this process's environment. */
  env: NodeJS.ProcessEnv;

  /**
   * @param purpose names the folder of artifacts/ that it is made in
   * @param linked folders of the real artifacts that it has, too: those of the demo, unless none is needed
   */
  constructor(purpose: "test" | "bench" = "test", linked = ["demo", "cache"]) {
    const parent = join(TOP, "artifacts", purpose);
    mkdirSync(parent, { recursive: true });
    // A test's has in its name what people have in theirs.
    this.top = mkdtempSync(join(parent, purpose === "test" ? "check out #1 & 50%20 ü-" : "checkout-"));
    const { stdout } = execa.sync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
      cwd: TOP,
    });
    const files = stdout
      .split("\0")
      .filter((path) => path && !path.startsWith("tests/") && existsSync(join(TOP, path)));
    for (const path of files) cpSync(join(TOP, path), join(this.top, path), { recursive: true });
    symlinkSync(join(TOP, "node_modules"), join(this.top, "node_modules"));
    mkdirSync(join(this.top, "artifacts"));
    for (const folder of linked) this.link(folder);
    this.env = { ...ownPulumi(makeContext({ top: this.top })), PULUMI_CONFIG_PASSPHRASE: "test" };
  }

  /** The same at another place, once it was moved or copied there. */
  at(top: string): Checkout {
    const inUrl = (path: string) => path.replace(/[%#?]/g, encodeURIComponent);
    const there = (value?: string) => value?.replace(this.top, top).replace(inUrl(this.top), inUrl(top));
    const env = Object.entries(this.env).map(([name, value]) => [name, there(value)]);
    const other = Object.create(Checkout.prototype) as Checkout;
    return Object.assign(other, { top, env: Object.fromEntries(env) as NodeJS.ProcessEnv });
  }

  /** Runs everything from now on with these variables too. */
  use(variables: NodeJS.ProcessEnv): void {
    this.env = { ...this.env, ...variables };
  }

  /** Links a folder of the real artifacts, file by file. */
  link(folder: string): void {
    execa.sync("cp", ["-al", join(TOP, "artifacts", folder), join(this.top, "artifacts")]);
  }

  /** Gives it copies of a folder's linked files, for a test that changes what all links to a file have: its bytes, or its time. */
  own(folder: string): void {
    for (const entry of readdirSync(this.path(folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      if (!entry.isFile() || statSync(path).nlink === 1) continue;
      copyFileSync(path, `${path}.copy`);
      renameSync(`${path}.copy`, path);
    }
  }

  path(...parts: string[]): string {
    return join(this.top, ...parts);
  }

  /** Writes the config of a stack like the demo's, with these keys changed; it is rehearsed only when they say so. */
  configure(name: string, config: Record<string, string> = {}): void {
    const demo = parse(readFileSync(join(TOP, "Pulumi.demo.yaml"), "utf8")) as {
      config: Record<string, string>;
    };
    writeFileSync(
      this.path(`Pulumi.${name}.yaml`),
      stringify({ config: { ...demo.config, ...named({ rehearse: "false", ...config }) } }),
    );
  }

  /** Makes a stack, configured so. */
  async stack(name: string, config: Record<string, string> = {}): Promise<void> {
    this.configure(name, config);
    const made = await this.pulumi("stack", "init", name);
    if (made.exitCode !== 0) throw new Error(made.all);
  }

  /** Changes keys of a stack's config. */
  set(name: string, config: Record<string, string>): void {
    const path = this.path(`Pulumi.${name}.yaml`);
    const held = parse(readFileSync(path, "utf8")) as { config: Record<string, string> };
    writeFileSync(path, stringify({ ...held, config: { ...held.config, ...named(config) } }));
  }

  /** Runs the Pulumi CLI as `npm run pulumi` does; a failure is a result. */
  pulumi(...args: string[]) {
    return this.script("commands/pulumi.mjs", args);
  }

  /** Runs the program of an npm script, as a person does whose files are private; a failure is a result. */
  script(program: string, args: string[]) {
    return execa("sh", ["-c", 'umask 077; exec node "$@"', "sh", this.path(program), ...args], {
      cwd: this.top,
      env: this.env,
      all: true,
      reject: false,
      stdin: "ignore",
    });
  }

  /** Runs a bare `pulumi`, as a person does who has it installed, on a machine that lacks one program. */
  pulumiWithout(lacking: string, ...args: string[]) {
    const programs = this.path("artifacts", "programs");
    mkdirSync(programs);
    const machine = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
    const folders = [this.path("tools/plugins/bin"), join(makeContext().cache, "bin"), ...machine];
    for (const folder of folders.filter((folder) => existsSync(folder))) {
      for (const name of readdirSync(folder)) {
        const link = join(programs, name);
        if (name !== lacking && !existsSync(link)) symlinkSync(join(folder, name), link);
      }
    }
    return execa("pulumi", args, {
      cwd: this.top,
      env: {
        ...process.env,
        ...this.env,
        PATH: programs,
        BOOTSTRAP_PXE_CACHE: this.path("artifacts/no-cache"),
      },
      extendEnv: false,
      all: true,
      reject: false,
      stdin: "ignore",
    });
  }

  up(name: string, ...flags: string[]) {
    return this.pulumi("up", "--stack", name, "--yes", "--skip-preview", ...flags);
  }

  /** What a preview would do, without what stays the same. */
  async preview(name: string, ...flags: string[]): Promise<Plan> {
    const { stdout, exitCode, all } = await this.pulumi("preview", "--stack", name, "--json", ...flags);
    if (exitCode !== 0) throw new Error(all);
    const { steps } = JSON.parse(stdout) as PreviewJson;
    // A replacement is told once as such, and once for each of its halves.
    const untold = ["same", "create-replacement", "delete-replaced"];
    const changed = steps.filter(({ op }) => !untold.includes(op));
    return Object.fromEntries(changed.map(({ op, urn }) => [urn.split("::").at(-1) as string, op]));
  }

  async output(name: string, key: string): Promise<string> {
    const { stdout, exitCode, all } = await this.pulumi("stack", "output", key, "--stack", name);
    if (exitCode !== 0) throw new Error(all);
    return stdout.trim();
  }

  remove(): void {
    rmSync(this.top, { recursive: true, force: true });
  }
}

const named = (config: Record<string, string>) =>
  Object.fromEntries(Object.entries(config).map(([key, value]) => [`bootstrap-pxe:${key}`, value]));
