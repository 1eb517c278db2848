#!/usr/bin/env node
"use strict";

// Stands in for `talosctl gen config` where no talosctl is on PATH, which set-up brings only where it can download it. What it
// writes comes from Talos's own generator.

const { execFileSync } = require("node:child_process");
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { parseArgs } = require("node:util");
const { loaderFor } = require("../../stack/talos-releases.cjs");

const string = /** @type {const} */ ({ type: "string" });
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    "talos-version": string,
    "install-image": string,
    "install-disk": string,
    "output-types": string,
    output: string,
  },
});
const [gen, config, cluster = "", endpoint = ""] = positionals;
const { "output-types": types = "", output = "", ...passed } = values;
if (gen !== "gen" || config !== "config")
  throw new Error("this stand-in for talosctl takes gen config alone");
const generator = loaderFor(values["talos-version"] ?? "")?.program ?? "";
const flags = Object.entries({ cluster, endpoint, ...passed }).flatMap(([name, value]) => [
  `--${name}`,
  value,
]);
const made = JSON.parse(execFileSync(generator, ["generate", ...flags], { encoding: "utf8" }));
for (const type of types.split(",")) {
  const name = type === "talosconfig" ? type : `${type}.yaml`;
  writeFileSync(join(output, name), made[type], { mode: 0o600 });
}
