import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { NEW } from "../../tools/commands.cjs";
import { plan } from "../../tools/new-answers";

const TOP = join(__dirname, "../..");
const readme = readFileSync(join(TOP, "README.md"), "utf8");
const project = parse(readFileSync(join(TOP, "Pulumi.yaml"), "utf8")) as {
  config: Record<string, { default: string; description: string }>;
};

test("the README's config table is that of Pulumi.yaml", () => {
  const rows = [...readme.matchAll(/^\| `(\w+)` *\| (\S+) *\| (.*?) *\|$/gm)].map((row) => row.slice(1));
  const expected = Object.entries(project.config).map(([key, { default: value, description }]) => [
    key.split(":")[1],
    value ? `\`${value}\`` : description.startsWith("Required") ? "required" : "unset",
    description.replace(/^Required\. /, ""),
  ]);
  expect(rows).toEqual(expected);
});

test("every file that the README links to is there", () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path as string);
  expect(links.length).toBeGreaterThan(5);
  for (const path of links) expect(() => readFileSync(join(TOP, path))).not.toThrow();
});

test("every npm run new of the documents is one that it takes, and the README's makes a stack", () => {
  const documents = ["README.md", "config/README.md", "docs/runbook.md", "docs/lasting-network.md"];
  const lines = documents.flatMap((path) =>
    [...readFileSync(join(TOP, path), "utf8").matchAll(/^npm run new -- ([^#\n]+)/gm)].map(([, words]) =>
      String(words).trim().split(/\s+/),
    ),
  );
  expect(lines.length).toBeGreaterThan(5);
  const read = lines.map((args) => parseArgs({ args, options: NEW.options, allowPositionals: true }));
  for (const { positionals } of read) expect(positionals).toHaveLength(1);
  const [whole] = read.filter(({ values }) => values.mac).map(({ values }) => values);
  expect(plan("nuc1", { ...whole }, [], undefined, "2025-12-17").faults).toEqual([]);
});
