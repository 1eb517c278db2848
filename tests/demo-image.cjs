"use strict";

const { spawnSync } = require("node:child_process");
const { join } = require("node:path");

let isMade = false;

/** Makes the demo's image, or sees that it is there: what the tests below boot and build on. Once a run, for all kinds. */
module.exports = function makeDemoImage() {
  if (isMade) return;
  const demo = join(__dirname, "..", "commands", "demo.mjs");
  const { status } = spawnSync("node", [demo], { stdio: ["ignore", 2, 2] });
  isMade = status === 0;
  if (!isMade) throw new Error(`npm run demo ended with status ${status}`);
};
