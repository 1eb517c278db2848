// How property values travel between engine and plugin (pulumi/pulumi: sdk/proto, "property value" signatures).
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** @typedef {Record<string, any>} Properties */

/** @param {any} value */
const isObject = (value) => value !== null && typeof value === "object";

/** @param {any} value */
const isSecret = (value) => isObject(value) && value[SIGNATURE] === SECRET;

/** @param {any} value @returns {any} */
const secret = (value) => (isSecret(value) ? value : { [SIGNATURE]: SECRET, value });

/** The value without its secret wrappers, at any depth. @param {any} value @returns {any} */
function plain(value) {
  if (isSecret(value)) return plain(value.value);
  if (Array.isArray(value)) return value.map(plain);
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value;
}

module.exports = { UNKNOWN, isObject, isSecret, secret, plain };
