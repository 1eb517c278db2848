import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_PACKAGES } from "../../tools/setup/apt.cjs";
import type { Context } from "../../tools/setup/context.cjs";
import { RECIPES } from "../../tools/setup/recipes.cjs";
import { sha256Of } from "../tools";
import { FakeMachine, PLAIN, zipOf } from "./fake-machine";

// Whoever imports this has a new machine for each test, which the hooks below make and remove.

const onPath = SYSTEM_PACKAGES.filter(({ has: [first] }) => !first?.startsWith("/"));
SYSTEM_PACKAGES.splice(0, SYSTEM_PACKAGES.length, ...onPath);
export const PROGRAMS = onPath.flatMap(({ has }) => has);

export const TOP = join(__dirname, "../..");
export const USE = "use";
export let machine: FakeMachine;
export let context: Context;

/** A machine with nothing, on which npm, apt and the makers' servers do what they should. */
beforeEach(async () => {
  machine = new FakeMachine();
  const lock = { packages: { "": {}, "node_modules/a": { version: "1.0.0", integrity: "x" } } };
  machine.write("top/package-lock.json", JSON.stringify(lock));
  for (const { folder } of RECIPES.flatMap(({ builds = [] }) => builds)) {
    mkdirSync(machine.path("top", folder), { recursive: true });
  }
  machine.write("top/Pulumi.yaml", readFileSync(join(__dirname, "../../Pulumi.yaml"), "utf8"));
  for (const { front } of RECIPES) if (front) machine.write(`top/${front.script}`, "#!/bin/sh\n");
  machine.recorded("npm", "mkdir node_modules && cp package-lock.json node_modules/.package-lock.json");
  withApt(PROGRAMS);
  for (const name of ["dnsmasq", "nginx", "chronyd"]) machine.program(name, "");
  const origin = await machine.start();
  publishAll(origin);
  context = machine.bare(origin);
});
afterEach(() => machine.remove());

/** An apt whose install brings these programs. */
export function withApt(programs: string[]): void {
  chmodSync(machine.write("stub", "#!/bin/sh\n"), 0o755);
  // Downloads are fetched and unpacked by real programs.
  const brought = programs.filter((name) => !PLAIN.includes(name));
  const copies = brought.map((name) => `cp '${machine.path("stub")}' '${machine.path("programs", name)}'`);
  machine.recorded("apt-get", copies.join("\n"));
}

export const PACKER = `#!/bin/sh
echo "packer $*" >> 'RAN'
folder=$PACKER_PLUGIN_PATH/github.com/hashicorp/qemu; mkdir -p "$folder"; echo plugin > "$folder/plugin"
`;

/** What the makers publish: each tool in the form that its recipe says. */
export function publishAll(origin: string): void {
  for (const { official, name, files } of RECIPES) {
    const found = official?.({ pulumi: origin, hashicorp: origin, github: origin });
    if (!found) continue;
    const program = name === "packer" ? PACKER.replace("RAN", machine.path("ran")) : `#!/bin/sh\n# ${name}\n`;
    let content: string | Buffer = program;
    if (found.url.endsWith(".zip")) content = zipOf(name, program);
    if (found.url.endsWith(".tar.gz")) {
      for (const file of files) machine.write(`archive/${found.members?.[file]}`, program);
      const members = Object.values(found.members ?? {});
      content = spawnSync("tar", ["-czC", machine.path("archive"), ...members]).stdout;
    }
    machine.publish(found.url.slice(origin.length), content);
    const line = `${sha256Of(content)}  ${found.url.split("/").pop()}\n`;
    machine.publish(found.sums.slice(origin.length), line);
  }
}

export const sopsPath = () => {
  const { url } = RECIPES.find(({ name }) => name === "sops")!.official!(context.origins);
  return url.slice(context.origins.github.length);
};
