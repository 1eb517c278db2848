import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { NEW } from "../../commands/commands.cjs";
import { plan } from "../../commands/new/answers";

const TOP = join(__dirname, "../..");
const textOf = (path: string) => readFileSync(join(TOP, path), "utf8");
const readme = textOf("README.md");
const project = parse(readFileSync(join(TOP, "Pulumi.yaml"), "utf8")) as {
  config: Record<string, { default: string; description: string }>;
};

/** The rows of a table whose first column is a config key. */
const keyRows = (text: string) =>
  [...text.matchAll(/^\| `(\w+)` *\| (\S+) *\| (.*?) *\|$/gm)].map((row) => row.slice(1));

test("the table of docs/config.md is that of Pulumi.yaml, and the README's rows are among its rows", () => {
  const expected = Object.entries(project.config).map(([key, { default: value, description }]) => [
    key.split(":")[1],
    value ? `\`${value}\`` : description.startsWith("Required") ? "required" : "unset",
    description.replace(/^Required\. /, ""),
  ]);
  const [keys = ""] = textOf("docs/config.md").split("## Outputs");
  expect(keyRows(keys)).toEqual(expected);
  expect(keyRows(readme).length).toBeGreaterThan(5);
  expect(expected).toEqual(expect.arrayContaining(keyRows(readme)));
});

const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "config/README.md",
  "tools/plugins/README.md",
  ...readdirSync(join(TOP, "docs")).map((name) => join("docs", name)),
];

/** The anchor that GitHub makes of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replace(/ /g, "-");

test.each(DOCUMENTS)("every file and heading that %s links to is there", (document) => {
  const links = [...textOf(document).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
  const broken = links.filter(([, path, anchor]) => {
    const target = path ? join(dirname(document), path) : document;
    if (!existsSync(join(TOP, target))) return true;
    if (!anchor) return false;
    const headings = [...textOf(target).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      anchorOf(heading as string),
    );
    return !headings.includes(anchor);
  });
  expect(broken.map(([link]) => link)).toEqual([]);
});

test("the README is read in two minutes, and links to every page of docs", () => {
  expect(readme.trim().split("\n").length).toBeLessThanOrEqual(150);
  const pages = DOCUMENTS.filter((path) => path.startsWith("docs/"));
  expect(pages.filter((path) => !readme.includes(`](${path}`))).toEqual([]);
});

test("every file that docs/design.md, CONTRIBUTING.md and the security page name is in the checkout", () => {
  const named = ["docs/design.md", "docs/security.md", "docs/rehearsal.md", "CONTRIBUTING.md"].flatMap(
    (document) =>
      [
        ...textOf(document).matchAll(
          /`((?:components|steps|packer|tools|tests|files|bench|demo)\/[\w./-]+)`/g,
        ),
      ].map(([, path]) => ({ document, path: path as string })),
  );
  expect(named.length).toBeGreaterThan(30);
  const isPattern = (path: string) => /[A-Z]{4}/.test(path);
  expect(named.filter(({ path }) => !isPattern(path) && !existsSync(join(TOP, path)))).toEqual([]);
});

test("CONTRIBUTING.md's table names each folder of steps", () => {
  const table = textOf("CONTRIBUTING.md").split("## One step by hand")[0] ?? "";
  const folders = readdirSync(join(TOP, "steps"), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  expect(folders.length).toBeGreaterThan(1);
  expect(folders.filter(({ name }) => !table.includes(`\`steps/${name}/\``))).toEqual([]);
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
