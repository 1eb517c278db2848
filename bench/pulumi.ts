import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { transformSync } from "esbuild";
import type { Checkout } from "../tests/checkout";
import { toolEnvironment } from "../tools/setup/environment.cjs";
import { makeContext, TOP } from "../tools/setup/context.cjs";
import { announceStandIns } from "../tools/setup/stand-ins.cjs";
import { run } from "../steps/programs/process";

type Context = Parameters<typeof run>[0];

/** The environment that Pulumi runs in, the same for this project and for the empty program. */
export async function environment(checkout: Checkout): Promise<NodeJS.ProcessEnv> {
  const context = makeContext({ env: { ...process.env, ...checkout.env }, top: checkout.top });
  return toolEnvironment(context, { standIns: await announceStandIns(context) });
}

/** A stack of a Pulumi program in a folder, as its owner runs it: by the bare CLI. */
export class Stack {
  constructor(
    private readonly context: Context,
    private readonly env: NodeJS.ProcessEnv,
    private readonly folder: string,
    private readonly name: string,
  ) {}

  async pulumi(...args: string[]): Promise<string> {
    const options = { cwd: this.folder, env: this.env };
    return (await run(this.context, "pulumi", [...args, "--stack", this.name], options)).stdout;
  }

  up() {
    return this.pulumi("up", "--yes", "--skip-preview");
  }

  preview() {
    return this.pulumi("preview");
  }
}

/** How the empty program starts: as `pulumi new typescript` leaves it, or the fastest way there is. */
export type Start = "ts-node" | "compiled";

/** The empty program in a folder of its own, with a stack. */
export class EmptyProgram extends Stack {
  constructor(
    context: Context,
    env: NodeJS.ProcessEnv,
    private readonly top: string,
    start: Start,
  ) {
    super(context, env, top, basename(top));
    cpSync(join(TOP, "bench/empty-program"), top, { recursive: true });
    symlinkSync(join(TOP, "node_modules"), join(top, "node_modules"));
    const { dependencies } = JSON.parse(readFileSync(join(TOP, "package.json"), "utf8")) as object & {
      dependencies: object;
    };
    const write = (name: string, text: string) => writeFileSync(join(top, name), text);
    write("package.json", JSON.stringify({ name: "empty", main: "index", dependencies }));
    this.setWord("first");
    if (start === "ts-node") {
      const compilerOptions = {
        strict: true,
        target: "es2020",
        module: "commonjs",
        moduleResolution: "node",
      };
      write("tsconfig.json", JSON.stringify({ compilerOptions }));
      return;
    }
    const source = readFileSync(join(top, "index.ts"), "utf8");
    write("index.js", transformSync(source, { loader: "ts", format: "cjs" }).code);
    rmSync(join(top, "index.ts"));
    const project = readFileSync(join(top, "Pulumi.yaml"), "utf8");
    write(
      "Pulumi.yaml",
      project.replace(/^runtime: nodejs/m, "runtime:\n  name: nodejs\n  options:\n    typescript: false"),
    );
  }

  /** Changes the input of its one command. */
  setWord(word: string): void {
    writeFileSync(join(this.top, `Pulumi.${basename(this.top)}.yaml`), `config:\n  empty:word: ${word}\n`);
  }
}
