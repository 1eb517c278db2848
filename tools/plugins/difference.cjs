// What changed between two sets of inputs, as Pulumi's Go plugins tell it: by the path of each value that differs.
const { isDeepStrictEqual } = require("node:util");
const { isObject, isSecret } = require("./values.cjs");

/** @typedef {"ADD" | "DELETE" | "UPDATE"} Kind */

/** Whether a value's parts are compared one by one; a secret's are not. @param {any} value */
const hasParts = (value) => isObject(value) && !isSecret(value);

/** @param {string} path @param {string} key */
function member(path, key) {
  if (/^\w+$/.test(key)) return path ? `${path}.${key}` : key;
  return `${path}["${key.replaceAll('"', '\\"')}"]`;
}

/**
 * The values that differ, by path. A value that became secret, or ceased to be, differs.
 * @param {any} old @param {any} now @param {string} [path] @returns {Record<string, Kind>}
 */
function difference(old, now, path = "") {
  /** @type {Record<string, Kind>} */
  const found = {};
  const lists = Array.isArray(old);
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
    const here = lists ? `${path}[${key}]` : member(path, key);
    const [before, after] = [old[key], now[key]];
    if (isDeepStrictEqual(before, after)) continue;
    if (before === undefined) found[here] = "ADD";
    else if (after === undefined) found[here] = "DELETE";
    else if (hasParts(before) && hasParts(after) && Array.isArray(before) === Array.isArray(after))
      Object.assign(found, difference(before, after, here));
    else found[here] = "UPDATE";
  }
  return found;
}

/** The input that a path leads into. @param {string} path */
const inputOf = (path) => path.split(/[.[]/)[0] ?? "";

module.exports = { difference, inputOf };
