import { readFileSync, readdirSync } from "node:fs";
import { extname, join, relative } from "node:path";
import ts from "typescript";

/** Stands for a value that is only known when the program runs. */
const HOLE = "\0";
/** A message of more forms than these is not looked at whole. */
const MOST_FORMS = 64;

const inOneLine = (text: string) => text.replace(/`/g, "").replace(/\s+/g, " ").trim();
const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** Every beginning with every end, or a hole where that is too many. */
const joined = (beginnings: string[], ends: string[]) =>
  beginnings.length * ends.length > MOST_FORMS
    ? [HOLE]
    : beginnings.flatMap((beginning) => ends.map((end) => beginning + end));

/** All texts that an expression can be, with a hole for each value in them. */
function formsOf(node: ts.Node): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isParenthesizedExpression(node)) return formsOf(node.expression);
  if (ts.isConditionalExpression(node)) return [...formsOf(node.whenTrue), ...formsOf(node.whenFalse)];
  if (ts.isTemplateExpression(node))
    return node.templateSpans.reduce(
      (forms, { expression, literal }) => joined(joined(forms, formsOf(expression)), [literal.text]),
      [node.head.text],
    );
  if (ts.isBinaryExpression(node)) {
    const [left, right] = [formsOf(node.left), formsOf(node.right)];
    if (node.operatorToken.kind === ts.SyntaxKind.PlusToken) return joined(left, right);
    if ([ts.SyntaxKind.QuestionQuestionToken, ts.SyntaxKind.BarBarToken].includes(node.operatorToken.kind))
      return [...left, ...right];
  }
  return [HOLE];
}

/** The texts in a file of TypeScript or JavaScript; what its comments say is none of them. */
function textsOfScript(source: string): string[] {
  const texts: string[] = [];
  const visit = (node: ts.Node) => {
    texts.push(...formsOf(node).filter((form) => form !== HOLE));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest));
  return texts;
}

/**
 * The texts in a file of shell, awk, Go or a template, without its comments and with a hole for each value: the whole file as
 * one text, and of each line what stands between quotation marks, with a hole for what is between two of them.
 */
function textsOfOther(source: string): string[] {
  const whole = source
    .replace(/^\s*(#|\/\/).*$/gm, "")
    .replace(/"\s*\\\n\s*"/g, " ")
    .replace(/\{\{\{?[^{}]*\}?\}\}|\$\{[^{}]*\}|\$\((?:[^()]|\([^()]*\))*\)|\$[\w*@#?]+|%[sdqvw]/g, HOLE);
  const quoted = whole.split("\n").map((line) => {
    const strings = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g)].map(
      ([, double, single]) => double ?? single,
    );
    return `${HOLE}${strings.join(HOLE)}`;
  });
  return [whole, ...quoted];
}

const SCRIPTS = [".ts", ".cjs", ".mjs"];
/** Folders whose texts no user of the product reads as a message. */
const NO_PRODUCT = ["artifacts", "bench", "config", "coverage", "docs", "node_modules", "tests"];

function filesUnder(folder: string, isTop: boolean): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name.startsWith(".") || (isTop && NO_PRODUCT.includes(entry.name))) return [];
    if (entry.isDirectory()) return filesUnder(path, false);
    // A checkout's own files and the tables of dependencies hold no message.
    return entry.isFile() && !/\.(md|json|lock|sum)$/.test(entry.name) ? [path] : [];
  });
}

/** The texts of a file that may be messages, each in one line; the path tells its language. */
export function textsIn(path: string, source: string): string[] {
  const texts = SCRIPTS.includes(extname(path)) ? textsOfScript(source) : textsOfOther(source);
  return texts.map(inOneLine).filter((text) => /[a-z]/.test(text));
}

/** Every text that the product can say. */
export const textsOfProduct = (top: string) => [
  ...new Set(filesUnder(top, true).flatMap((path) => textsIn(path, readFileSync(path, "utf8")))),
];

/** Words that a message has from a variable, and that no rule tells from other words. */
const VALUES =
  "bootstrap-site chrony chronyd decline dnsmasq faults initramfs kernel min netplan nft nginx pulumi s site stack";
const values = new Set(VALUES.split(" "));

/** A word of a quote that stands for a value: CAPITALS, or something with a digit, a dot, a slash, a quotation mark in it. */
const isValue = (word: string) =>
  /\d|^\W*[A-Z]+\W*$|[A-Z].*[A-Z]|[a-z][A-Z]|[a-z][._/@=*][a-z]|["/_{]/.test(word) ||
  values.has(word.replace(/\W+$/, ""));

function patternOfWord(word: string): string {
  const asWritten = word.split("…").map(escaped).join("[^]{0,300}?");
  return isValue(word) ? `(?:${asWritten}|[^ ]*${HOLE}[^ ]*)` : asWritten;
}

/** Values that follow each other may come of one hole. */
function patternOf(quote: string): RegExp {
  const runs: string[][] = [];
  for (const word of quote.split(" ")) {
    const last = runs.at(-1);
    if (last?.[0] !== undefined && isValue(last[0]) && isValue(word)) last.push(word);
    else runs.push([word]);
  }
  const patterns = runs.map((run) => {
    const each = run.map(patternOfWord).join(" ");
    return run.length > 1 ? `(?:${each}|[^ ]*${HOLE}[^ ]*)` : each;
  });
  return new RegExp(`(?<![a-z])${patterns.join(" ")}(?![a-z])`);
}

/** A quote without what surrounds it: gaps and stops at its ends. */
const core = (quote: string) => inOneLine(quote).replace(/^[….,: ]+|[….,:( ]+$/g, "");

const isSaid = (quote: string, texts: string[]) => {
  const pattern = patternOf(core(quote));
  // A pattern is slow, and most texts lack its longest word anyway.
  const ownWords = core(quote)
    .split(/ |…/)
    .filter((word) => !isValue(word));
  const longest = ownWords.sort((a, b) => b.length - a.length)[0] ?? "";
  return texts.some((text) => text.includes(longest) && pattern.test(text));
};

/** Whether a part of a quote has a word of its own, rather than values alone. */
const hasWords = (part: string) => part.split(" ").some((word) => /[a-z]/.test(word) && !isValue(word));

/** Where one text of the product may end and another begin in a message, from coarse to fine. */
const SEAMS = [/: |\. |…|"/, /[,;] | \(/];

/**
 * The parts of a quote that no text of the product has. There are none where one text has the whole quote, or where each part
 * of it is in some text.
 */
export function unsaid(quote: string, texts: string[], [seam, ...finer] = SEAMS): string[] {
  if (!hasWords(quote) || isSaid(quote, texts)) return [];
  const parts = seam ? quote.split(seam).map(core) : [];
  return parts.length > 1
    ? parts.flatMap((part) => unsaid(part, texts, finer))
    : finer.length > 0
      ? unsaid(quote, texts, finer)
      : [core(quote)];
}

/** A message that a document quotes, or a command, a path, a value: what stands between backticks and has a blank. */
export interface Quote {
  text: string;
  /** Document and line, as `docs/runbook.md:12`. */
  at: string;
}

/** What a line of output has in each of its columns; a word that ends in a gap may be cut. */
const cellsOf = (line: string) =>
  line
    .trim()
    .split(/\s{2,}/)
    .map((cell) => cell.replace(/\S+…$/, "…"));

/** What a document has between backticks, and in each column of its blocks of output, if there is a blank in it. */
export function quotesIn(top: string, path: string): Quote[] {
  const document = readFileSync(path, "utf8");
  const at = (index: number) => `${relative(top, path)}:${document.slice(0, index).split("\n").length}`;
  const output = [...document.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].flatMap(
    ({ index, 1: language, 2: text = "" }) =>
      language
        ? []
        : text.split("\n").flatMap((line) => cellsOf(line).map((cell) => ({ text: cell, at: at(index) }))),
  );
  const prose = document.replace(/^```[^]*?^```$/gm, (block) => block.replace(/[^\n]/g, " "));
  const inline = [...prose.matchAll(/`([^`]+)`/g)].map(({ index, 1: text = "" }) => ({
    text,
    at: at(index),
  }));
  return [...inline, ...output]
    .map(({ text, at }) => ({ text: inOneLine(text), at }))
    .filter(({ text }) => text.includes(" "));
}
