// Stands in for Pulumi's `random` plugin where that one cannot be downloaded. Only `RandomPassword`.
const { randomInt } = require("node:crypto");
const bcrypt = require("bcryptjs");
const { serve } = require("./server.cjs");
const { UNKNOWN, secret, plain, hasUnknown } = require("./values.cjs");
const { version } = require("./versions.json").random;

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
  numeric: true,
  number: true,
  special: true,
  minLower: 0,
  minUpper: 0,
  minNumeric: 0,
  minSpecial: 0,
};
const INPUTS = [...Object.keys(DEFAULTS), "length", "overrideSpecial", "keepers"];
/** Go's bcrypt.DefaultCost, which the real plugin uses. */
const BCRYPT_COST = 10;

/** @param {string} alphabet */
const pick = (alphabet) => alphabet[randomInt(alphabet.length)] ?? "";

/** @param {Record<string, any>} options */
function password(options) {
  const alphabets = { ...CLASSES, special: options.overrideSpecial || CLASSES.special };
  const classes = /** @type {(keyof CLASSES)[]} */ (Object.keys(CLASSES)).filter((name) => options[name]);
  const characters = classes.flatMap((name) => {
    const least = options[`min${name[0]?.toUpperCase()}${name.slice(1)}`] ?? 0;
    return Array.from({ length: least }, () => pick(alphabets[name]));
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
      check(inputs) {
        /** @type {Record<string, string>} */
        const faults = {};
        for (const key of Object.keys(inputs))
          if (!INPUTS.includes(key)) faults[key] = "an unrecognized property name";
        const known = plain(inputs);
        if (!hasUnknown(known.length) && !(known.length >= 1))
          faults.length = "a password has at least one character";
        return faults;
      },
      async create(call, inputs) {
        const options = { ...DEFAULTS, ...inputs };
        const result = call.preview ? UNKNOWN : password(plain(options));
        const bcryptHash = call.preview ? UNKNOWN : bcrypt.hashSync(result, BCRYPT_COST);
        return {
          id: "none",
          outputs: { ...options, result: secret(result), bcryptHash: secret(bcryptHash) },
        };
      },
    },
  },
});
