"use strict";

/** @typedef {import("estree").Node & { [key: string]: any }} Node */

/** Placeholders of a test's title that take one of the row's values (util.format, and Jest's %p). */
const PLACEHOLDERS = /%[psdifjoOc]/g;

/** @param {Node} node whether it is test.each(…), describe.each(…), test.concurrent.each(…) and the like */
const isEach = ({ type, callee }) =>
  type === "CallExpression" &&
  callee.type === "MemberExpression" &&
  callee.property.name === "each" &&
  /^(test|it|describe)\b/.test(rootOf(callee));

/** @param {Node} node @returns {string} */
const rootOf = (node) => (node.type === "MemberExpression" ? rootOf(node.object) : (node.name ?? ""));

/** How many of a row's values a title shows. @param {Node | undefined} title */
function shownBy(title) {
  const texts =
    title?.type === "TemplateLiteral"
      ? title.quasis.map((/** @type {Node} */ quasi) => quasi.value.cooked)
      : title?.type === "Literal"
        ? [title.value]
        : undefined;
  return texts ? (texts.join("").replaceAll("%%", "").match(PLACEHOLDERS) ?? []).length : Infinity;
}

/** How many values a callback wants at least, and has names for at most. @param {Node} callback */
function wantedBy({ params }) {
  const isOptional = (/** @type {Node} */ param) =>
    param.type === "AssignmentPattern" || param.type === "RestElement" || param.optional === true;
  const hasRest = params.at(-1)?.type === "RestElement";
  return {
    least: params.filter((/** @type {Node} */ param) => !isOptional(param)).length,
    most: hasRest ? Infinity : params.length,
  };
}

/** A row written as a list, without a spread, has this many values; undefined for any other. @param {Node | null} row */
const writtenLength = (row) =>
  row?.type === "ArrayExpression" &&
  row.elements.every((/** @type {Node} */ each) => each?.type !== "SpreadElement")
    ? row.elements.length
    : undefined;

/**
 * How many values a row has by its type: a tuple's, from least to most. A list of any length says nothing, and anything else is
 * one value.
 *
 * @param {import("typescript").TypeChecker} checker
 * @param {any} type
 * @returns {{ least: number, most: number }[]}
 */
function typedLengths(checker, type) {
  if (type.isUnion()) return type.types.flatMap((/** @type {any} */ each) => typedLengths(checker, each));
  if (checker.isArrayType(type) || checker.typeToString(type) === "any") return [];
  if (!checker.isTupleType(type)) return [{ least: 1, most: 1 }];
  const { minLength, hasRestElement } = type.target;
  return [{ least: minLength, most: hasRestElement ? Infinity : checker.getTypeArguments(type).length }];
}

/**
 * A row of `test.each` has as many values as its callback takes. Of a shorter one the rest is undefined, and a check against it
 * may pass; no check uses what a longer one has more. A value that only the title shows counts as taken.
 *
 * @type {import("eslint").Rule.RuleModule}
 */
module.exports = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      short: "This row has {{has}} of the {{takes}} values that the test takes: the rest is undefined.",
      long: "This row has {{has}} values, and the test takes {{takes}}: no check uses the rest.",
    },
  },
  create(context) {
    const { parserServices: services } = context.sourceCode;
    /** @param {Node} node @param {{ least: number, most: number }} has @param {{ least: number, most: number }} takes */
    const judge = (node, has, takes) => {
      if (has.least < takes.least)
        context.report({ node, messageId: "short", data: { has: `${has.least}`, takes: `${takes.least}` } });
      if (has.least > takes.most)
        context.report({ node, messageId: "long", data: { has: `${has.least}`, takes: `${takes.most}` } });
    };
    /** @param {Node} node @param {any} type @param {{ least: number, most: number }} takes */
    const judgeType = (node, type, takes) => {
      for (const has of typedLengths(services.program.getTypeChecker(), type)) judge(node, has, takes);
    };
    /** @param {Node} row @param {{ least: number, most: number }} takes */
    const judgeRow = (row, takes) => {
      const length = writtenLength(row);
      if (length !== undefined) judge(row, { least: length, most: length }, takes);
      else if (row.type !== "SpreadElement") judgeType(row, services.getTypeAtLocation(row), takes);
      else judgeTable(row.argument, takes);
    };
    /** @param {Node} table @param {{ least: number, most: number }} takes */
    const judgeTable = (table, takes) => {
      if (table.type === "ArrayExpression") {
        for (const row of table.elements) if (row) judgeRow(row, takes);
        return;
      }
      const rows = services.getTypeAtLocation(table).getNumberIndexType();
      if (rows) judgeType(table, rows, takes);
    };
    return {
      /** @param {Node} node */
      CallExpression(node) {
        const [title, callback] = node.arguments;
        if (!isEach(node.callee) || !/Function/.test(callback?.type ?? "")) return;
        const { least, most } = wantedBy(callback);
        judgeTable(node.callee.arguments[0], { least, most: Math.max(most, shownBy(title)) });
      },
    };
  },
};
