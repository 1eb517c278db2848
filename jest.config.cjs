const kinds = ["unit", "setup", "plugins", "engine", "e2e"];

module.exports = {
  projects: kinds.map((kind) => ({
    displayName: kind,
    testMatch: [`<rootDir>/tests/${kind}/**/*.test.ts`],
    transform: { "^.+\\.(ts|mjs)$": ["ts-jest", { tsconfig: "tests/tsconfig.json", diagnostics: false }] },
    moduleFileExtensions: ["ts", "js", "mjs", "cjs", "json", "node"],
    testTimeout: 60_000,
  })),
  // Two cores: one boots machines, one does the rest.
  maxWorkers: 2,
  coverageDirectory: "coverage",
  coverageReporters: ["text"],
  collectCoverageFrom: ["config.ts", "next-steps.ts", "components/**/*.ts", "steps/**/*.ts"],
  reporters: ["default", "<rootDir>/tests/count-reporter.cjs"],
};
