import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

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
