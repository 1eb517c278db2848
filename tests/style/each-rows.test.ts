import { RuleTester } from "eslint";
import { join } from "node:path";
import tseslint from "typescript-eslint";
import { TOP } from "../tools";
import rule from "./each-rows.cjs";

RuleTester.it = test;
RuleTester.describe = describe;

const tester = new RuleTester({
  languageOptions: {
    parser: tseslint.parser,
    parserOptions: {
      projectService: { allowDefaultProject: ["*.ts"] },
      tsconfigRootDir: join(TOP, "tests/style"),
    },
  },
});

const named = (code: string) => ({ code, filename: join(TOP, "tests/style/case.ts") });
const short = (code: string) => ({ ...named(code), errors: [{ messageId: "short" }] });
const long = (code: string) => ({ ...named(code), errors: [{ messageId: "long" }] });

tester.run("rows of test.each", rule, {
  valid: [
    'test.each([[1, 2], [3, 4]])("%s", (a, b) => { use(a, b); });',
    // Values by themselves are rows of one.
    'test.each([1, "two"])("%s", (a) => { use(a); });',
    'test.each([[1], [2, 3]])("optional", (a, b = 2) => { use(a, b); });',
    'test.each([[1], [2, 3]])("optional", (a: number, b?: number) => { use(a, b); });',
    'test.each([[1], [2, 3, 4]])("the rest", (a, ...others) => { use(a, others); });',
    // The title alone shows the second one.
    'test.each([[1, "one"]])("%s is %s", (a) => { use(a); });',
    'test.each([[1, "one"]])(`%s is ${"all"} %s`, (a) => { use(a); });',
    'test.each(Object.entries({ a: 1 }))("%s", (a, b) => { use(a, b); });',
    'const rows: string[][] = []; test.each(rows)("any length", (a, b) => { use(a, b); });',
    'other.each([[1]])("no test", (a, b) => { use(a, b); });',
  ].map(named),
  invalid: [
    short('test.each([[1, 2], [3]])("%s", (a, b) => { use(a, b); });'),
    short('describe.each([[1]])("%s", (a, b) => { use(a, b); });'),
    short('test.concurrent.each<[number, number?]>([[1]])("%s", async (a, b) => { use(a, b); });'),
    short('test.each([1])("%s", (a, b) => { use(a, b); });'),
    short('const rows: [number, number?][] = []; test.each(rows)("%s", (a, b) => { use(a, b); });'),
    short('test.each([...[1].map((a): [number] => [a])])("%s", (a, b) => { use(a, b); });'),
    long('test.each([[1, 2, 3]])("%s", (a, b) => { use(a, b); });'),
    long('test.each([[1, 2]])("100%% of %s", (a) => { use(a); });'),
    long('test.each(Object.entries({ a: 1 }))("%s", (a) => { use(a); });'),
  ],
});
