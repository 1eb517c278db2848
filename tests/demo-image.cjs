"use strict";

const { spawnSync } = require("node:child_process");
const { join } = require("node:path");

/** Makes the demo's image, or sees that it is there: what the tests below boot and build on. */
module.exports = function makeDemoImage() {
  const demo = join(__dirname, "..", "commands", "demo.mjs");
  const { status } = spawnSync("node", [demo], { stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error(`npm run demo ended with status ${status}`);
};
