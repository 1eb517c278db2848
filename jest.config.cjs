const { directLoopback } = require("./tools/proxies.cjs");

// Tests talk to servers of their own, on loopback.
Object.assign(process.env, directLoopback(process.env));

// Cheap kinds first, so that a fault shows early.
const kinds = ["style", "unit", "steps", "setup", "plugins", "engine", "e2e"];
/** Kinds that work with the demo's image or its layers. */
const onDemo = ["engine", "e2e"];

module.exports = {
  projects: kinds.map((kind) => ({
    displayName: kind,
    modulePathIgnorePatterns: ["<rootDir>/artifacts/"],
    testMatch: [`<rootDir>/tests/${kind}/**/*.test.ts`],
    transform: { "^.+\\.ts$": ["ts-jest", { tsconfig: "tests/tsconfig.json", diagnostics: false }] },
    globalSetup: onDemo.includes(kind) ? "<rootDir>/tests/demo-image.cjs" : undefined,
  })),
  // A machine may be several times slower than those that this was written on.
  testTimeout: 240_000,
  // Two cores: one boots machines, one does the rest.
  maxWorkers: 2,
  coverageDirectory: "coverage",
  coverageReporters: ["text"],
  collectCoverageFrom: ["*.ts", "components/**/*.ts", "steps/**/*.ts"],
  reporters: ["default", "<rootDir>/tests/count-reporter.cjs"],
};
