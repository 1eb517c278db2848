import bcrypt from "bcryptjs";
import { Plugin, secret, UNKNOWN, type Properties } from "./plugin-client";

let plugin: Plugin;
beforeAll(async () => {
  plugin = await Plugin.start("random", "random:index/randomPassword:RandomPassword");
});
afterAll(() => plugin.stop());

/** What this project asks for. */
const INPUTS = { length: 20, special: false };

/** The state of a new password, and its secrets unwrapped. */
async function made(inputs: Properties) {
  const { state } = await plugin.create(inputs);
  const { result, bcryptHash } = state as Record<string, { value: string }>;
  return { state, password: result?.value ?? "", hash: bcryptHash?.value ?? "" };
}

describe("check", () => {
  test("takes its inputs as they are", async () => {
    const inputs = {
      ...INPUTS,
      lower: true,
      upper: true,
      numeric: true,
      minLower: 1,
      minUpper: 1,
      minNumeric: 1,
      minSpecial: 0,
      overrideSpecial: "_",
      keepers: { host: "lab" },
    };
    expect(await plugin.check(inputs)).toEqual({ inputs, faults: {} });
  });

  test("takes what is not known yet", async () => {
    const inputs = { length: UNKNOWN, keepers: { host: UNKNOWN }, minLower: UNKNOWN };
    expect(await plugin.check(inputs)).toEqual({ inputs, faults: {} });
  });

  test.each<[string, Properties, RegExp]>([
    ["no length", { special: false }, /Missing required property 'length'/],
    ["a length of 0", { length: 0 }, /length .*at least 1, got: 0/],
    ["a negative length", { length: -1 }, /length .*got: -1/],
    ["half a character", { length: 1.5 }, /1\.5/],
    ["a length under the minimums", { length: 2, minLower: 2, minUpper: 1 }, /length .*at least .*got: 2/],
    [
      "no class of characters",
      { length: 20, lower: false, upper: false, numeric: false, special: false },
      /\[special,upper,lower,numeric\] must be/,
    ],
  ])("refuses %s", async (_what, inputs, reason) => {
    const { faults } = await plugin.check(inputs);
    expect(Object.values(faults)).toEqual([expect.stringMatching(reason)]);
  });
});

describe("create", () => {
  test("keeps the password and its hash secret, and shows the settings that it was made with", async () => {
    const { state, password, hash } = await made(INPUTS);
    expect(state).toMatchObject({
      length: 20,
      special: false,
      lower: true,
      upper: true,
      numeric: true,
      minLower: 0,
      minUpper: 0,
      minNumeric: 0,
      minSpecial: 0,
      result: secret(password),
      bcryptHash: secret(hash),
    });
  });

  test.each([20, 100])("hashes a password of %i characters with bcrypt, at cost 10", async (length) => {
    const { password, hash } = await made({ length });
    expect(bcrypt.getRounds(hash)).toBe(10);
    expect(await bcrypt.compare(password, hash)).toBe(true);
    expect(await bcrypt.compare(`x${password}`, hash)).toBe(false);
  });

  test("makes another password each time", async () => {
    expect((await made(INPUTS)).password).not.toBe((await made(INPUTS)).password);
  });

  test.each<[what: string, inputs: Properties, password: RegExp]>([
    ["without special characters", INPUTS, /^[A-Za-z0-9]{20}$/],
    ["of one character", { length: 1 }, /^.$/],
    ["of every class", { length: 300 }, /^[A-Za-z0-9!@#$%&*()\-_=+[\]{}<>:?]{300}$/],
    ["of lower case", { length: 50, upper: false, numeric: false, special: false }, /^[a-z]{50}$/],
    ["of upper case", { length: 50, lower: false, numeric: false, special: false }, /^[A-Z]{50}$/],
    ["of digits", { length: 50, lower: false, upper: false, special: false }, /^[0-9]{50}$/],
    ["without digits by the old name", { length: 50, number: false, special: false }, /^[A-Za-z]{50}$/],
    [
      "of special characters of one's own",
      { length: 50, lower: false, upper: false, numeric: false, overrideSpecial: "_." },
      /^[_.]{50}$/,
    ],
  ])("makes a password %s", async (_what, inputs, password) => {
    expect((await made(inputs)).password).toMatch(password);
  });

  test("uses every class that is allowed", async () => {
    const { password } = await made({ length: 300 });
    for (const characters of [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/])
      expect(password).toMatch(characters);
  });

  test("keeps to the minimum of each class", async () => {
    const minimums = { minLower: 1, minUpper: 2, minNumeric: 3, minSpecial: 4 };
    const { password } = await made({ length: 10, ...minimums });
    const counts = [/[a-z]/g, /[A-Z]/g, /[0-9]/g, /[^A-Za-z0-9]/g].map(
      (characters) => password.match(characters)?.length,
    );
    expect(counts).toEqual([1, 2, 3, 4]);
  });

  test("in a preview knows the settings, but neither password nor hash", async () => {
    const { state } = await plugin.create(INPUTS, { preview: true });
    expect(state).toMatchObject({
      length: 20,
      special: false,
      lower: true,
      upper: true,
      numeric: true,
      result: UNKNOWN,
      bcryptHash: UNKNOWN,
    });
  });
});

describe("diff", () => {
  const inputs = { ...INPUTS, keepers: { host: "lab" } };
  let state: Properties;
  beforeAll(async () => {
    ({ state } = await plugin.create(inputs));
  });

  test.each<[what: string, now: Properties]>([
    ["a change", inputs],
    ["a change but a default that is spelt out", { ...inputs, lower: true, minLower: 0 }],
  ])("is none without %s", async (_what, now) => {
    expect(await plugin.diff(state, inputs, now)).toEqual({
      changes: "DIFF_NONE",
      diffs: [],
      replaces: [],
      detailed: {},
    });
  });

  test.each<[changed: string[], now: Properties]>([
    [["length"], { ...inputs, length: 21 }],
    [["special"], { ...inputs, special: true }],
    [["special"], { length: 20, keepers: inputs.keepers }],
    [["lower"], { ...inputs, lower: false }],
    [["upper"], { ...inputs, upper: false }],
    [["number", "numeric"], { ...inputs, numeric: false }],
    [["minLower"], { ...inputs, minLower: 1 }],
    [["overrideSpecial"], { ...inputs, overrideSpecial: "_" }],
    [["keepers"], { ...inputs, keepers: { host: "demo" } }],
    [["keepers"], { ...inputs, keepers: { host: UNKNOWN } }],
    [["keepers"], INPUTS],
  ])("replaces for %j in %j", async (changed, now) => {
    expect(await plugin.diff(state, inputs, now)).toEqual({
      changes: "DIFF_SOME",
      diffs: changed,
      replaces: changed,
      detailed: {},
    });
  });
});

test("delete has nothing to do", async () => {
  const { state } = await plugin.create(INPUTS);
  await expect(plugin.delete(state, INPUTS)).resolves.toBeUndefined();
});

test("a refresh finds what the state says", async () => {
  const { state } = await plugin.create(INPUTS);
  const { result, bcryptHash } = (await plugin.read(state, INPUTS)).state;
  expect({ result, bcryptHash }).toEqual({ result: state.result, bcryptHash: state.bcryptHash });
});
