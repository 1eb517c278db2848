// Stands in for Pulumi's `random` plugin where that one cannot be downloaded. Only `RandomPassword`.
const { randomInt } = require("node:crypto");
const bcrypt = require("bcryptjs");
const { serve } = require("./server.cjs");
const { UNKNOWN, secret, plain } = require("./values.cjs");
const { version } = require("./versions.json").random;

/** @typedef {import("./values.cjs").Properties} Properties */

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const CLASSES = {
  lower: LOWER,
  upper: LOWER.toUpperCase(),
  numeric: "0123456789",
  special: "!@#$%&*()-_=+[]{}<>:?",
};
const DEFAULTS = {
  lower: true,
  upper: true,
  special: true,
  minLower: 0,
  minUpper: 0,
  minNumeric: 0,
  minSpecial: 0,
};
/** Go's bcrypt.DefaultCost, which the real plugin uses. */
const BCRYPT_COST = 10;

/** `number` is the old name of `numeric`. @param {Properties} inputs @returns {Properties} */
function settle(inputs) {
  const numeric = inputs.numeric ?? inputs.number ?? true;
  return { ...DEFAULTS, ...inputs, numeric, number: numeric };
}

/** @param {string} name of a class */
const minimumOf = (name) => `min${name[0]?.toUpperCase()}${name.slice(1)}`;

/** @param {string} alphabet */
const pick = (alphabet) => alphabet[randomInt(alphabet.length)] ?? "";

/** @param {Record<string, any>} options */
function password(options) {
  const alphabets = { ...CLASSES, special: options.overrideSpecial || CLASSES.special };
  const classes = /** @type {(keyof CLASSES)[]} */ (Object.keys(CLASSES)).filter((name) => options[name]);
  const characters = classes.flatMap((name) => {
    return Array.from({ length: options[minimumOf(name)] }, () => pick(alphabets[name]));
  });
  const all = classes.map((name) => alphabets[name]).join("");
  while (characters.length < options.length) characters.push(pick(all));
  for (let last = characters.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [characters[last], characters[other]] = [characters[other] ?? "", characters[last] ?? ""];
  }
  return characters.join("");
}

serve({
  name: "random",
  version,
  resources: {
    "random:index/randomPassword:RandomPassword": {
      replacedBy: ["*"],
      settle,
      check(inputs) {
        const options = plain(settle(inputs));
        const { length } = options;
        // One not known yet counts for nothing.
        const sum = Object.keys(CLASSES).reduce(
          (sum, name) => sum + (Number(options[minimumOf(name)]) || 0),
          0,
        );
        const least = Math.max(1, sum);
        /** @type {Record<string, string>} */
        const faults = {};
        if (length === undefined) faults.length = "Missing required property 'length'";
        else if (length !== UNKNOWN && !(length >= least && Number.isInteger(Number(length))))
          faults.length = `length must be a whole number of at least ${least}, got: ${length}`;
        if (!Object.keys(CLASSES).some((name) => options[name]))
          faults.numeric = "At least one of [special,upper,lower,numeric] must be true";
        return faults;
      },
      async create(call, inputs) {
        const options = settle(inputs);
        if (call.preview) return { id: "", outputs: { ...options, result: UNKNOWN, bcryptHash: UNKNOWN } };
        const result = password(plain(options));
        const bcryptHash = bcrypt.hashSync(result, BCRYPT_COST);
        return {
          id: "none",
          outputs: { ...options, result: secret(result), bcryptHash: secret(bcryptHash) },
        };
      },
    },
  },
});
