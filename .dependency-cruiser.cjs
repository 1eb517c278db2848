"use strict";

/** Folders from the bottom up: what one holds imports nothing of those above it. */
const ROOMS = [
  { name: "stack", holds: "^stack/" },
  { name: "the parts of steps", holds: "^steps/[^/]+/" },
  { name: "rehearsal", holds: "^rehearsal/" },
  { name: "steps", holds: "^steps/[^/]+\\.ts$" },
  { name: "components", holds: "^components/" },
  { name: "index.ts", holds: "^index\\.ts$" },
  { name: "commands", holds: "^commands/" },
  { name: "demo", holds: "^demo/" },
  { name: "tests and bench", holds: "^(tests|bench)/" },
];

/** What set-up and the stand-ins take of the product: lists of releases and what transfers have in common. */
const TOOLS_MAY_TAKE = "^(stack|steps/(frame|store))/[^/]+\\.cjs$";

module.exports = {
  forbidden: [
    {
      name: "no-circle",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    ...ROOMS.slice(0, -1).map(({ name, holds }, at) => ({
      name: `${name.replaceAll(" ", "-")}-climbs`,
      severity: "error",
      from: { path: holds },
      to: {
        path: ROOMS.slice(at + 1)
          .map((room) => room.holds)
          .join("|"),
      },
    })),
    {
      name: "tools-know-the-product",
      comment: "One can work on the product without opening tools/, and on tools/ without the product.",
      severity: "error",
      from: { path: "^tools/" },
      to: { path: ROOMS.map(({ holds }) => holds).join("|"), pathNot: TOOLS_MAY_TAKE },
    },
    {
      name: "steps-know-Pulumi",
      severity: "error",
      from: { path: "^(stack|steps|rehearsal)/" },
      to: { path: "node_modules/@pulumi/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    moduleSystems: ["cjs", "es6"],
  },
};
