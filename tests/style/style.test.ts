import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { inToolEnvironment, TOP } from "../tools";

const shellScripts = (...folders: string[]) =>
  folders
    .flatMap((folder) => readdirSync(join(TOP, folder)).map((name) => join(folder, name)))
    .filter((path) => statSync(join(TOP, path)).isFile())
    .filter((path) => /^#!\/bin\/(ba)?sh/.test(readFileSync(join(TOP, path), "utf8")));

const ROOMS = [
  "stack",
  "steps",
  "rehearsal",
  "components",
  "index.ts",
  "commands",
  "bench",
  "demo",
  "tools",
  "tests",
];

const checks: [what: string, program: string, ...args: string[]][] = [
  ["types", "npx", "tsc", "--project", "."],
  ["types of set-up and the plugin stand-ins", "npx", "tsc", "--project", "tools"],
  ["types of the tests", "npx", "tsc", "--project", "tests"],
  ["lint", "npx", "eslint", "--max-warnings=0", "."],
  ["the direction of imports", "npx", "depcruise", "--output-type=err", ...ROOMS],
  ["format", "npx", "prettier", "--check", "--log-level=warn", "."],
  [
    "shell scripts",
    "shellcheck",
    "--exclude=SC1091",
    ...shellScripts(
      ".ci",
      "steps",
      "steps/programs",
      "packer/provision",
      "packer/appliance",
      "tools/plugins/bin",
    ),
  ],
  ["format of the Packer template", "packer", "fmt", "-check", "-diff", "packer"],
];

test.each(checks)("%s", async (_what, program, ...args) => {
  const { exitCode, all } = await inToolEnvironment(program, args);
  expect({ exitCode, said: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, said: "" });
});
