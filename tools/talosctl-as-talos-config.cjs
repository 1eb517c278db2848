#!/usr/bin/env node
"use strict";

// talos-config by way of the official talosctl: set-up puts it beside one, as the program that tools/go/talos-config
// is built into elsewhere, talos-config-1.11 beside talosctl-1.11. Both take the same arguments and print the same.

const { spawnSync } = require("node:child_process");
const { readFileSync } = require("node:fs");
const { basename, join } = require("node:path");
const { parseArgs } = require("node:util");

const NEEDED = /** @type {const} */ ([
  "cluster",
  "endpoint",
  "talos-version",
  "install-image",
  "install-disk",
]);
const OPTIONS = /** @type {const} */ ({
  cluster: { type: "string" },
  endpoint: { type: "string" },
  "talos-version": { type: "string" },
  "install-image": { type: "string" },
  "install-disk": { type: "string" },
  "kubernetes-version": { type: "string" },
  "additional-sans": { type: "string" },
  "config-patch": { type: "string", multiple: true },
  "from-control-plane": { type: "boolean" },
});

const TALOSCTL = join(__dirname, basename(String(process.argv[1])).replace("talos-config", "talosctl"));

/**
 * Which minors of Kubernetes 1 each minor of Talos 1 supports, the first and the last: pkg/machinery/compatibility, which
 * talosctl asks for upgrades only. The other program asks it itself.
 *
 * @type {Record<string, readonly [number, number]>}
 */
const KUBERNETES = {
  9: [27, 32],
  10: [28, 33],
  11: [29, 34],
  12: [30, 35],
  13: [31, 36],
  14: [32, 37],
};

/** A fault with the status that this program ends with: 1 Talos says no, 2 wrong arguments. */
class Refusal extends Error {
  /**
   * @param {string} message
   * @param {number} status
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** @param {string} message */
const misuse = (message) =>
  new Refusal(`${message}; tools/go/talos-config/main.go says how talos-config is used`, 2);

/**
 * Runs talosctl. Pipes of a shell's can be opened by name (/dev/stdin), Node's own cannot.
 *
 * @param {string[]} args
 * @param {string} [input]
 * @throws Refusal with its words
 */
function talosctl(args, input = "") {
  const script = 'cat | { "$@"; echo "$?" >&3; } | cat';
  const ended = spawnSync("sh", ["-c", script, "sh", TALOSCTL, ...args], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 26,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const status = ended.output?.[3]?.trim();
  if (status !== "0") throw new Refusal(ended.stderr?.trim() || `talosctl ended with status ${status}`, 1);
  return { stdout: ended.stdout, stderr: ended.stderr };
}

/** The release of talosctl, as 1.11.6. */
function release() {
  const found = /v(\d+\.\d+\.\d+)/.exec(talosctl(["version", "--client"]).stdout);
  if (!found?.[1]) throw new Refusal("talosctl does not say its version", 1);
  return found[1];
}

/** @param {string[]} args */
function readRequest(args) {
  let values;
  try {
    ({ values } = parseArgs({ args, options: OPTIONS }));
  } catch (fault) {
    throw misuse(/** @type {Error} */ (fault).message);
  }
  for (const name of NEEDED) if (!values[name]) throw misuse(`--${name} is missing`);
  const endpoint = String(values.endpoint);
  if (!/^https:\/\/[^/]/.test(endpoint))
    throw misuse(`--endpoint ${endpoint} is not of the form https://HOST:6443`);
  return values;
}

/**
 * What configs are made for: the release asked for, or talosctl's own if that is older.
 *
 * @param {string} version
 */
function contractFor(version) {
  const asked = /^v?(\d+)\.(\d+)(\.|$)/.exec(version);
  if (!asked) throw misuse(`--talos-version ${version} is not of the form v1.11.6`);
  const [own, wanted] = [release(), asked.slice(1, 3).map(Number)];
  const [major = 0, minor = 0] = own.split(".").map(Number);
  const isLater = Number(wanted[0]) > major || (wanted[0] === major && Number(wanted[1]) > minor);
  if (!isLater) return version;
  process.stderr.write(
    `warning: this generator is of Talos v${own}: what it makes is for v${major}.${minor}, not yet for v${wanted.join(".")}\n`,
  );
  return `v${own}`;
}

/** @param {string[]} args */
function generate(args) {
  const asked = readRequest(args);
  const contract = contractFor(String(asked["talos-version"]));
  const existing = asked["from-control-plane"] ? readFileSync(0, "utf8") : undefined;
  const source =
    existing === undefined ? ["--talos-version", contract] : ["--from-controlplane-config", "/dev/stdin"];
  // It takes a file that is there for one that must not be overwritten.
  const secrets = talosctl(
    ["gen", "secrets", "--force", "--output-file", "/dev/stdout", ...source],
    existing,
  );
  const flags = [
    ...["--talos-version", contract, "--with-docs=false", "--with-examples=false"],
    ...["install-image", "install-disk", "kubernetes-version", "additional-sans"].flatMap((name) => {
      const value = asked[/** @type {keyof typeof OPTIONS} */ (name)];
      return value ? [`--${name}`, String(value)] : [];
    }),
    ...(asked["config-patch"] ?? []).flatMap((patch) => ["--config-patch", patch]),
    ...["--with-secrets", "/dev/stdin", "--output", "-"],
  ];
  const named = ["gen", "config", String(asked.cluster), String(asked.endpoint), ...flags];
  const made = ["controlplane", "worker", "talosconfig"].map((type) => [
    type,
    talosctl([...named, "--output-types", type], secrets.stdout).stdout,
  ]);
  process.stdout.write(`${JSON.stringify(Object.fromEntries(made))}\n`);
}

/** Images by Kubernetes' own names, in any registry. A commented line is none. */
const IMAGE =
  /^\s*(?:-\s+)?image:\s*["']?([^\s"']*\/(kubelet|kube-apiserver|kube-controller-manager|kube-scheduler)(?:[:@][^\s"']*)?)(?=["']?\s*(?:#|$))/gm;

/**
 * What a Talos release refuses once it runs, in the words of the program of tools/go/talos-config.
 *
 * @param {string} text
 * @param {string} talosVersion
 */
function kubernetesFaults(text, talosVersion) {
  const minor = /^v?1\.(\d+)(?:[.+-]|$)/.exec(talosVersion)?.[1];
  if (!minor) throw misuse(`--talos-version ${talosVersion} is not of the form v1.11.6`);
  const supported = KUBERNETES[minor];
  if (!supported) return [];
  const isWorker = /^\s*type:\s*["']?worker\b/m.test(text);
  return [...text.matchAll(IMAGE)].flatMap(([, reference = "", of]) => {
    // Of the others it looks at a control plane's alone.
    if (isWorker && of !== "kubelet") return [];
    const [, version, major, number] = /:v((\d+)\.(\d+)[^@]*)/.exec(reference) ?? [];
    if (version === undefined)
      return [
        `${of} image "${reference}" has no tag with its version of Kubernetes, such as :v1.34.1, which Talos ${talosVersion.replace(/^v/, "")} wants`,
      ];
    const isOld = Number(major) < 1 || Number(number) < supported[0];
    if (!isOld && Number(major) === 1 && Number(number) <= supported[1]) return [];
    const words = `is too ${isOld ? "old" : "new"} to be used with Talos ${talosVersion.replace(/^v/, "")}`;
    return [`${of} image ${reference}: version of Kubernetes ${version} ${words}`];
  });
}

/** @param {string[]} args */
function validate(args) {
  let version;
  try {
    ({ "talos-version": version } = parseArgs({
      args,
      options: { "talos-version": { type: "string" } },
    }).values);
  } catch (fault) {
    throw misuse(/** @type {Error} */ (fault).message);
  }
  const text = readFileSync(0, "utf8");
  const { stderr } = talosctl(["validate", "--mode", "metal", "--config", "/dev/stdin"], text);
  process.stderr.write(stderr.replace(/^WARNING: /gm, "warning: "));
  const faults = version ? kubernetesFaults(text, version) : [];
  if (faults.length > 0) throw new Refusal(faults.join("; "), 1);
}

const [command, ...args] = process.argv.slice(2);
try {
  if (command === "generate") generate(args);
  else if (command === "validate") validate(args);
  else if (command === "images" && args.length === 0)
    process.stdout.write(talosctl(["image", "default"]).stdout);
  else if (command === "version" && args.length === 0) process.stdout.write(`${release()}\n`);
  else throw misuse("it takes generate, validate, images or version");
} catch (fault) {
  const { message, status = 1 } = /** @type {Refusal} */ (fault);
  process.stderr.write(`${message}\n`);
  process.exitCode = status;
}
