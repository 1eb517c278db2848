import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { BENCH, COLLECT, DEMO, FLEET, NEW, REHEARSE, SETUP, VERIFY } from "../../commands/commands.cjs";
import { plan } from "../../commands/new/answers";
import { EXAMPLE_MAC } from "../../stack/config/values";

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
  ...readdirSync(join(TOP, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
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

/** The words after `--` of each command line of an npm script in the documents' blocks. */
const commandLines = (script: string) =>
  DOCUMENTS.flatMap((document) =>
    [...textOf(document).matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) =>
      [...block.matchAll(/^npm run (\S+)(?: --)?((?: (?!#).*?)?)(?: +#.*)?$/gm)]
        .filter(([, name]) => name === script)
        .map(([, , words = ""]) => words.trim().split(/\s+/).filter(Boolean)),
    ),
  );

test.each([DEMO, SETUP, NEW, FLEET, REHEARSE, VERIFY, COLLECT, BENCH])(
  "every npm run $name in a block of the documents is one that it takes",
  (command) => {
    const lines = commandLines(command.name);
    expect(lines.length).toBeGreaterThan(0);
    for (const args of lines) {
      const given = parseArgs({ args, options: command.options, allowPositionals: true });
      const fault = command.fault as ((given: unknown) => string | undefined) | undefined;
      expect([args.join(" "), fault?.(given)]).toEqual([args.join(" "), undefined]);
      for (const [name, known] of Object.entries(command.choices ?? {}))
        if (name in given.values) expect(known).toContain(given.values[name as never]);
    }
  },
);

test("npm run new of the README makes a stack, once the reader has set their own MAC", () => {
  const read = commandLines("new").map((args) =>
    parseArgs({ args, options: NEW.options, allowPositionals: true }),
  );
  const [whole] = read.filter(({ values }) => values.mac).map(({ values }) => values);
  const faults = (mac?: string) => plan("nuc1", { ...whole, mac }, [], undefined, "2025-12-17").faults;
  expect(faults(whole?.mac)).toEqual([
    { answer: "mac", text: expect.stringContaining("the example in the documents") as string },
  ]);
  expect(faults("48:21:0b:12:34:56")).toEqual([]);
});

test("the only MAC of a maker's NIC in the documents is the one that is refused as the example", () => {
  const macs = DOCUMENTS.flatMap((document) =>
    [...textOf(document).matchAll(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/gi)].map(([mac]) => mac),
  );
  // IEEE 802: this bit marks an address that no maker has given, as those of virtual machines.
  const ofMakers = macs.filter((mac) => !(parseInt(mac.slice(0, 2), 16) & 2));
  expect([...new Set(ofMakers)]).toEqual([EXAMPLE_MAC]);
});
