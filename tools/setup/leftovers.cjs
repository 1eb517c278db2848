"use strict";

const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { sweepImages } = require("../../steps/store/partials.cjs");
const { sweepScratch } = require("../../steps/frame/scratch.cjs");

/** @typedef {import("./context.cjs").Context} Context */

/**
 * Removes what runs that were killed outright left of secrets in this checkout: half-made images, and copies of images in
 * private folders. Every npm script does this, since nobody may make that version of an image again.
 *
 * @param {Pick<Context, "top">} context
 */
function sweepLeftovers({ top }) {
  const artifacts = join(top, "artifacts");
  sweepImages(top);
  if (existsSync(artifacts)) sweepScratch(artifacts);
}

module.exports = { sweepLeftovers };
