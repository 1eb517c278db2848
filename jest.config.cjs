const { directLoopback } = require("./tools/proxies.cjs");

// Tests talk to servers of their own, on loopback.
Object.assign(process.env, directLoopback(process.env));

// Cheap kinds first, so that a fault shows early.
const kinds = ["style", "unit", "steps", "setup", "plugins", "engine", "e2e"];
/** Tests that boot many times, or want every release's loader: `npm test` does it for some cases, `npm run test:boots` for all. */
const inFull = ["e2e/broken-*", "setup/talos-releases"];
/** Kinds that work with the demo's image or its layers. */
const onDemo = ["engine", "e2e", "boots"];

/**
 * @param {string} name
 * @param {string[]} files
 */
const project = (name, files) => ({
  displayName: name,
  modulePathIgnorePatterns: ["<rootDir>/artifacts/"],
  testMatch: files.map((file) => `<rootDir>/tests/${file}.test.ts`),
  transform: { "^.+\\.ts$": ["ts-jest", { tsconfig: "tests/tsconfig.json", diagnostics: false }] },
  globalSetup: onDemo.includes(name) ? "<rootDir>/tests/demo-image.cjs" : undefined,
  globals: { IN_FULL: name === "boots" },
});

module.exports = {
  projects: [
    ...kinds.map((kind) => project(kind, [`${kind}/**/*`])),
    project("boots", [...inFull, "boots/**/*"]),
  ],
  testSequencer: "<rootDir>/tests/sequencer.cjs",
  // A busy machine may be many times slower than those that this was written on; only what hangs reaches it.
  testTimeout: 900_000,
  // For two cores: what waits leaves them idle.
  maxWorkers: 3,
  coverageDirectory: "coverage",
  coverageReporters: ["text"],
  collectCoverageFrom: ["{stack,components,steps,rehearsal}/**/*.ts", "index.ts"],
  reporters: ["default", "<rootDir>/tests/slowest-reporter.cjs", "<rootDir>/tests/count-reporter.cjs"],
};
