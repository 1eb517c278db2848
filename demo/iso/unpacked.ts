import { copyFile, readFile, rm } from "node:fs/promises";
import { extname, join } from "node:path";
import { run } from "../../steps/programs/process";
import type { StepContext } from "../../steps/frame/context";
import { StepError } from "../../steps/frame/step-error";
import { IN_PACKAGES, kernelModule } from "../../tools/setup/distribution.cjs";

/** What is being done, for an error. */
export const MAKING = "making the demo's Talos-shaped ISO";

/** Debian packages that were unpacked, not installed. */
export interface Unpacked {
  /** The packages' names. */
  names: string[];
  /** The paths of their files. */
  files: string[];
}

/** The path of the one file that is wanted from the packages, wherever this release puts it. */
export function fileOf({ files, names }: Unpacked, what: keyof typeof IN_PACKAGES): string {
  const file = files.find((path) => IN_PACKAGES[what].test(path));
  if (file) return file;
  throw new StepError(
    MAKING,
    `the packages ${names.join(", ")} hold no file like ${IN_PACKAGES[what].source}`,
    "This release puts it elsewhere: correct IN_PACKAGES in tools/setup/distribution.cjs",
  );
}

/** The names of the modules that have to be loaded before a module; built-in ones are not among them. */
async function needs(context: StepContext, module: string): Promise<string[]> {
  const section = join(context.scratch, "modinfo");
  await run(context, "objcopy", ["-O", "binary", "--only-section=.modinfo", module, section]);
  const fields = (await readFile(section, "latin1")).split("\0");
  const depends = fields.find((field) => field.startsWith("depends="))?.slice("depends=".length);
  return depends ? depends.split(",") : [];
}

/**
 * Puts modules of the kernel into a folder, unpacked, each after those that it needs, since insmod resolves nothing.
 *
 * @param wanted names of modules; what the kernel has built in takes no file
 * @returns their file names in the order to load them in
 */
export async function collectModules(
  context: StepContext,
  unpacked: Unpacked,
  wanted: string[],
  folder: string,
): Promise<string[]> {
  const builtin = await readFile(fileOf(unpacked, "builtinModules"), "utf8");
  const order: string[] = [];
  const add = async (name: string): Promise<void> => {
    const found = kernelModule(name, unpacked.files, builtin);
    if (!found)
      throw new StepError(
        MAKING,
        `the kernel of ${unpacked.names.join(", ")} has no module ${name}, nor is it built in`,
        "Without it the node has no network: correct DRIVERS in demo/iso/make.ts, or the kernel's package in tools/setup/distribution.cjs",
      );
    if (found === "built in" || order.includes(`${name}.ko`)) return;
    const module = join(folder, `${name}.ko`);
    if (found.packer) {
      const packed = module + extname(found.file);
      await copyFile(found.file, packed);
      await run(context, found.packer, ["-d", "-q", packed]);
      await rm(packed, { force: true });
    } else {
      await copyFile(found.file, module);
    }
    for (const needed of await needs(context, module)) await add(needed);
    order.push(`${name}.ko`);
  };
  for (const name of wanted) await add(name);
  return order;
}
