import { Plugin, secret, UNKNOWN, type Properties } from "./plugin-client";

// What the `command` plugin tells before it runs anything: the stand-in and the real one alike.
let plugin: Plugin;
beforeAll(async () => {
  plugin = await Plugin.start("command", "command:local:Command");
});
afterAll(() => plugin.stop());

const INPUTS = {
  create: "make",
  delete: "unmake",
  stdin: "{}",
  dir: "/",
  interpreter: ["/bin/sh", "-c"],
  environment: { ARTIFACT: "present", LEVEL: "1" },
  logging: "stderr",
  addPreviousOutputInEnv: false,
  triggers: ["a", 1, { b: true }],
};
const STATE = { ...INPUTS, stdout: "made", stderr: "" };

/** The inputs but one. */
function without(name: keyof typeof INPUTS): Properties {
  return Object.fromEntries(Object.entries(INPUTS).filter(([key]) => key !== name));
}

describe("check", () => {
  test("takes its inputs as they are", async () => {
    const inputs = { ...INPUTS, update: "remake" };
    expect(await plugin.check(inputs)).toEqual({ inputs, faults: {} });
  });

  test("takes what is not known yet", async () => {
    const inputs = { create: UNKNOWN, stdin: UNKNOWN, environment: { ARTIFACT: UNKNOWN }, triggers: UNKNOWN };
    expect(await plugin.check(inputs)).toEqual({ inputs, faults: {} });
  });

  test("keeps a secret secret", async () => {
    const inputs = { stdin: secret("key"), environment: { KEY: secret("key"), LEVEL: "1" } };
    expect(await plugin.check(inputs)).toEqual({ inputs, faults: {} });
  });

  test("refuses an input that it does not know, by its name", async () => {
    const { faults } = await plugin.check({ create: "make", environmment: {} });
    expect(Object.keys(faults)).toEqual(["environmment"]);
    expect(faults.environmment).toMatch(/^Unrecognized field 'environmment'/);
  });

  test.each<[string, Properties]>([
    ["create", { create: ["make"] }],
    ["dir", { dir: 1 }],
    ["interpreter", { interpreter: "sh" }],
    ["environment", { environment: "LEVEL=1" }],
    ["environment", { environment: { LEVEL: 1 } }],
    ["addPreviousOutputInEnv", { addPreviousOutputInEnv: "no" }],
    ["triggers", { triggers: "a" }],
  ])("refuses an input of a wrong type: %s %j", async (name, inputs) => {
    const { faults } = await plugin.check({ ...INPUTS, ...inputs });
    expect(Object.keys(faults)).toEqual([expect.stringMatching(`^${name}`)]);
    expect(Object.values(faults)).toEqual([expect.stringMatching("must be a")]);
  });
});

describe("diff", () => {
  test("is none without a change", async () => {
    expect(await plugin.diff(STATE, INPUTS, INPUTS)).toEqual({
      changes: "DIFF_NONE",
      diffs: [],
      replaces: [],
      detailed: {},
    });
  });

  test.each<[what: string, input: string, inputs: Properties, detailed: Record<string, string>]>([
    ["another command", "create", { ...INPUTS, create: "make more" }, { create: "UPDATE" }],
    ["an update command", "update", { ...INPUTS, update: "remake" }, { update: "ADD" }],
    ["no delete command", "delete", without("delete"), { delete: "DELETE" }],
    ["another stdin", "stdin", { ...INPUTS, stdin: "[]" }, { stdin: "UPDATE" }],
    ["a stdin not known yet", "stdin", { ...INPUTS, stdin: UNKNOWN }, { stdin: "UPDATE" }],
    ["the same stdin as a secret", "stdin", { ...INPUTS, stdin: secret("{}") }, { stdin: "UPDATE" }],
    ["another folder", "dir", { ...INPUTS, dir: "/tmp" }, { dir: "UPDATE" }],
    ["other logging", "logging", { ...INPUTS, logging: "none" }, { logging: "UPDATE" }],
    [
      "previous output in the environment",
      "addPreviousOutputInEnv",
      without("addPreviousOutputInEnv"),
      { addPreviousOutputInEnv: "DELETE" },
    ],
    [
      "another argument of the interpreter",
      "interpreter",
      { ...INPUTS, interpreter: ["/bin/sh", "-ec"] },
      { "interpreter[1]": "UPDATE" },
    ],
    [
      "another value of a variable",
      "environment",
      { ...INPUTS, environment: { ARTIFACT: "gone", LEVEL: "1" } },
      { "environment.ARTIFACT": "UPDATE" },
    ],
    [
      "one variable more, one less",
      "environment",
      { ...INPUTS, environment: { ARTIFACT: "present", "A.B": "1" } },
      { "environment.LEVEL": "DELETE", 'environment["A.B"]': "ADD" },
    ],
    [
      "a secret in a variable",
      "environment",
      { ...INPUTS, environment: { ARTIFACT: "present", LEVEL: secret("2") } },
      { "environment.LEVEL": "UPDATE" },
    ],
    // The SDK's `replaceOnChanges` makes these two a replacement, from the path that the plugin names.
    [
      "another trigger",
      "triggers",
      { ...INPUTS, triggers: ["a", 2, { b: false }] },
      { "triggers[1]": "UPDATE", "triggers[2].b": "UPDATE" },
    ],
    [
      "one trigger more",
      "triggers",
      { ...INPUTS, triggers: [...INPUTS.triggers, "c"] },
      { "triggers[3]": "ADD" },
    ],
  ])("updates for %s", async (_what, input, inputs, detailed) => {
    expect(await plugin.diff(STATE, INPUTS, inputs)).toEqual({
      changes: "DIFF_SOME",
      diffs: [input],
      replaces: [],
      detailed,
    });
  });

  test.each<[what: string, old: Properties, now: Properties, kind: string]>([
    ["the first triggers", without("triggers"), INPUTS, "ADD_REPLACE"],
    ["no trigger any more", INPUTS, without("triggers"), "DELETE_REPLACE"],
    ["triggers not known yet", INPUTS, { ...INPUTS, triggers: UNKNOWN }, "UPDATE_REPLACE"],
  ])("replaces for %s", async (_what, old, now, kind) => {
    expect(await plugin.diff({ ...old, stdout: "made", stderr: "" }, old, now)).toEqual({
      changes: "DIFF_SOME",
      diffs: ["triggers"],
      replaces: ["triggers"],
      detailed: { triggers: kind },
    });
  });

  test("names every input that changed", async () => {
    const { diffs, replaces } = await plugin.diff(STATE, INPUTS, { create: "make more" });
    expect(diffs).toEqual(Object.keys(INPUTS).sort());
    expect(replaces).toEqual(["triggers"]);
  });
});

describe("preview", () => {
  // Had it run, the preview would fail.
  const failing = { create: "exit 1", update: "exit 1" };

  test("of a create runs nothing and knows no output", async () => {
    const { state } = await plugin.create({ ...INPUTS, ...failing }, { preview: true });
    expect(state).toEqual({ ...INPUTS, ...failing, stdout: UNKNOWN, stderr: UNKNOWN });
  });

  test("takes inputs that are not known yet", async () => {
    const inputs = { create: UNKNOWN, environment: { ARTIFACT: UNKNOWN } };
    const { state } = await plugin.create(inputs, { preview: true });
    expect(state).toEqual({ ...inputs, stdout: UNKNOWN, stderr: UNKNOWN });
  });

  test.each<[string, Properties]>([
    ["changed", { ...INPUTS, stdin: "[]" }],
    ["removed", without("delete")],
    ["not known yet", { ...INPUTS, update: UNKNOWN }],
    ["a variable added", { ...INPUTS, environment: { ...INPUTS.environment, MORE: "1" } }],
  ])("of an update with an input %s runs nothing and knows no output", async (_what, inputs) => {
    const state = await plugin.update(STATE, INPUTS, inputs, { preview: true });
    expect(state).toEqual({ ...inputs, stdout: UNKNOWN, stderr: UNKNOWN });
  });

  test("of an update that only adds an input shows the old output", async () => {
    const inputs = { ...INPUTS, update: "exit 1" };
    const state = await plugin.update(STATE, INPUTS, inputs, { preview: true });
    expect(state).toEqual({ ...inputs, stdout: "made", stderr: "" });
  });
});
