"use strict";

const { loaderFor } = require("../stack/talos-releases.cjs");

/**
 * @template {import("./command-line.cjs").Options} O
 * @typedef {import("./command-line.cjs").Command<O>} Command
 */

const flag = /** @type {const} */ ({ type: "boolean", default: false });
const text = /** @type {const} */ ({ type: "string" });

/**
 * @template {import("./command-line.cjs").Options} const O
 * @param {Command<O>} command
 */
const command = (command) => command;

/** @param {string[]} positionals */
const noPositionals = (positionals) =>
  positionals.length > 0 ? `${positionals[0]} is not an option of it` : undefined;

const DEMO = command({
  name: "demo",
  usage: `npm run demo [-- --yes]: sets up what is missing, makes the demo's inputs and its image, and boots it
  --yes   install system packages without asking
  --help  this text`,
  options: { yes: flag },
  fault: ({ positionals }) => noPositionals(positionals),
});

/**
 * A command that runs jest: what it does not know itself is jest's.
 *
 * @param {string} name
 * @param {string} does
 */
const testing = (name, does) => ({
  name,
  usage: `npm run ${name} [-- [--yes] JEST'S OPTIONS]: sets up what is missing, and ${does}
  --yes   install system packages without asking
  --help  this text; npx jest --help lists jest's options`,
  options: { yes: flag },
  passesOn: true,
});

const TEST = testing("test", "runs every test but those that boot many images");
const BOOTS = testing("test:boots", "boots every image that is broken on purpose, and what else takes long");
const LINT = testing("lint", "checks types, style and shell scripts");

const SETUP = command({
  name: "setup",
  usage: `npm run setup -- [--yes] [--for use|demo|lint|test|boots] [--talos-version V]: brings what this machine lacks
  --for            use: what your own stacks want; demo, the default: the demo too; lint: what npm run lint wants;
                   test, boots: what npm test and npm run test:boots want
  --talos-version  bring what checks configs of that release of Talos, beside those of Pulumi.yaml and of your stacks
  --yes            install system packages without asking
  --help           this text`,
  options: { yes: flag, for: { type: "string", default: "demo" }, "talos-version": text },
  choices: { for: ["use", "demo", "lint", "test", "boots"] },
  fault: ({ values, positionals }) => {
    const version = values["talos-version"];
    if (version !== undefined && !loaderFor(version))
      return `--talos-version ${version} is not of the form v1.11.6`;
    return noPositionals(positionals);
  },
});

const HARDWARE = /** @type {const} */ ({
  firmware: ["bios", "uefi"],
  disk: ["virtio", "virtio-scsi", "sata", "ide"],
  nic: ["virtio-net-pci", "e1000"],
  "minipc-nic": ["virtio-net-pci", "e1000e"],
});

const NEW = command({
  name: "new",
  usage: `npm run new -- STACK [OPTION…]: makes a stack for one mini-PC, with its machine config, encrypted
What is not given is asked for on a terminal; without one, --mac, --disk and --endpoint are needed.
  --mac MAC              the MAC of the mini-PC's NIC
  --disk DISK            the disk that Talos is installed on, such as /dev/nvme0n1; it is overwritten
  --endpoint HOST        where the cluster is reached for good: a name, an address or a URL (docs/lasting-network.md)
  --vip ADDRESS          an address that the cluster's control planes share; the endpoint, unless that is set
  --talos-version V      unset, the default of Pulumi.yaml
  --schematic ID         the Image Factory's schematic whose ISO and installer are taken, 64 hex digits; unset, none
  --ip ADDRESS           its lease on the isolated link; unset, the first one that no other stack has
  --appliance ADDRESS/N  the appliance's own address there, with its prefix length; unset, the default of Pulumi.yaml
  --cluster NAME         the cluster's name; unset, the stack's
  --join STACK           make it a further machine of that stack's cluster, by the secrets in its machine config
  --role ROLE            controlplane or worker; unset, controlplane. A worker wants --join
  --bootstrap-version V  names the image's folder; unset, today's date
  --age-key FILE         age identity to encrypt to; unset, the one that sops finds
  --make-age-key         make an age identity where there is none
  --help                 this text`,
  options: {
    mac: text,
    disk: text,
    endpoint: text,
    vip: text,
    "talos-version": text,
    schematic: text,
    ip: text,
    appliance: text,
    cluster: text,
    join: text,
    role: text,
    "bootstrap-version": text,
    "age-key": text,
    "make-age-key": flag,
  },
  fault: ({ positionals: [stack, ...more] }) => {
    if (stack === undefined) return "the new stack's name is missing";
    return more.length > 0 ? `one stack at a time: ${more.join(" ")} is one too many` : undefined;
  },
});

const REHEARSE = command({
  name: "rehearse",
  usage: `npm run rehearse -- --stack NAME [OPTION…]: boots a stack's image and a virtual mini-PC
  --firmware ${HARDWARE.firmware.join("|")}                the appliance's firmware
  --disk ${HARDWARE.disk.join("|")}  the appliance's disk
  --nic ${HARDWARE.nic.join("|")}          the appliance's NICs
  --swapped                           the uplink's NIC comes first
  --minipc-nic ${HARDWARE["minipc-nic"].join("|")}  the mini-PC's NIC
  --alone                             without the twin, an appliance on other hardware beside it
  --json                              print the result on stdout for a program, too
  --help                              this text`,
  options: {
    stack: { type: "string", short: "s" },
    firmware: text,
    disk: text,
    nic: text,
    "minipc-nic": text,
    swapped: flag,
    alone: flag,
    json: flag,
  },
  choices: HARDWARE,
  fault: ({ values, positionals }) =>
    noPositionals(positionals) ?? (values.stack ? undefined : "--stack is missing"),
});

const NODE = command({
  name: "node",
  usage: `npm run node -- --stack NAME [OPTION…]: follows a stack's mini-PC until it is a Ready node, from where its port 50000 is reached
  --bootstrap        start the cluster on it: once for a cluster, on its first control plane
  --kubeconfig FILE  write the client config for Kubernetes to FILE, which must not be there yet
  --talosconfig FILE the client config; unset, the stack's talosConfig, or else config/NAME.talosconfig
  --address HOST     where the mini-PC is reached; unset, its lease, minipcIp
  --timeout MINUTES  how long each wait may take, 0.1 for six seconds; unset, 30
  --help             this text`,
  options: {
    stack: { type: "string", short: "s" },
    bootstrap: flag,
    kubeconfig: text,
    talosconfig: text,
    address: text,
    timeout: { type: "string", default: "30" },
  },
  fault: ({ values: { stack, kubeconfig, address, timeout }, positionals }) => {
    if (positionals.length > 0 || !stack) return noPositionals(positionals) ?? "--stack is missing";
    if (!/^\d{1,4}(\.\d+)?$/.test(timeout) || Number(timeout) === 0)
      return `--timeout ${timeout} is not a number of minutes above 0`;
    if (kubeconfig === "") return "--kubeconfig is empty";
    if (address !== undefined && !/^[\w.:[\]-]+$/.test(address))
      return `--address ${address} is neither an address nor a name`;
    return undefined;
  },
});

const VERIFY = command({
  name: "verify",
  usage: `npm run verify -- FILE, an image with its SHA256SUMS beside it, or [--stack STACK] s3://BUCKET/…/FILE
  --stack  take the bucket's endpoint and region from this stack's config
  --json   print the result on stdout for a program, too
  --help   this text`,
  options: { stack: { type: "string", short: "s" }, json: flag },
  fault: ({ positionals }) =>
    positionals.length === 1 ? undefined : `${positionals.length} files are named, not one`,
});

const COLLECT = command({
  name: "collect",
  usage: `npm run collect -- DISK [--to FOLDER]: reads the journal, the leases and what was said last out of an appliance's disk,
which is the image once it has booted, or a copy of its virtual machine's disk: raw, qcow2, vdi, vmdk, also as .gz or .zst
  --to    a folder for what was read, which must be empty; unset, one in artifacts/collected
  --help  this text`,
  options: { to: text },
  fault: ({ values, positionals }) => {
    if (values.to === "") return "--to is empty";
    return positionals.length === 1 ? undefined : `${positionals.length} disks are named, not one`;
  },
});

const BENCH_PARTS = /** @type {const} */ (["a", "b", "c", "d", "e", "f", "g", "h", "i"]);

const BENCH = command({
  name: "bench",
  usage: `npm run bench -- [OPTION…]: speed and size as ratios, on the demo's own inputs
  --parts a,c  of: a a changed MAC, b the assembly, c preview, d a cold build, e the image's size, f 30 stacks,
               g compression, h a rehearsal, i the images layer
  --runs N     of each side of a, b, c, g and i; 5 by default
  --write      put the table of all parts into docs/figures.md
  --help       this text`,
  options: {
    parts: { type: "string", default: BENCH_PARTS.join() },
    runs: { type: "string", default: "5" },
    write: flag,
  },
  fault: ({ values, positionals }) => {
    const known = /** @type {readonly string[]} */ (BENCH_PARTS);
    const unknown = values.parts.split(",").filter((part) => !known.includes(part));
    if (unknown.length > 0) return `no part ${unknown.join(", ")}`;
    if (values.write && values.parts !== BENCH_PARTS.join())
      return "--write needs all parts, so it cannot be combined with --parts";
    if (!/^[1-9]\d?$/.test(values.runs)) return `--runs ${values.runs} is not a count from 1 to 99`;
    return noPositionals(positionals);
  },
});

const FLEET_COMMANDS = /** @type {const} */ (["up", "preview", "destroy"]);

const FLEET = command({
  name: "fleet",
  usage: `npm run fleet -- ${FLEET_COMMANDS.join("|")} STACK… [OPTION…]: many stacks, some at once
  --all         every stack of this project, but the demo
  --at-once N   how many at once; unset, as many as there are cores, at least 2
  --yes         needed by destroy
  --json        print the result on stdout for a program, too
  --help        this text`,
  options: { all: flag, yes: flag, "at-once": text, json: flag },
  fault: ({ values, positionals: [name, ...stacks] }) => {
    const known = /** @type {readonly (string | undefined)[]} */ (FLEET_COMMANDS);
    if (name === undefined) return `the command is missing, one of ${FLEET_COMMANDS.join(", ")}`;
    if (!known.includes(name)) return `${name} is not one of ${FLEET_COMMANDS.join(", ")}`;
    const atOnce = values["at-once"];
    if (atOnce !== undefined && !/^[1-9]\d{0,3}$/.test(atOnce)) return `--at-once ${atOnce} is not a count`;
    if (name === "destroy" && !values.yes) return "destroy removes images and needs --yes";
    if (values.all && stacks.length > 0) return "--all and names of stacks exclude each other";
    if (stacks.includes("demo")) return "demo is the stack of npm run demo";
    return values.all || stacks.length > 0 ? undefined : "no stack is named";
  },
});

const PULUMI_USAGE = `npm run pulumi -- COMMAND [OPTION…]: the Pulumi CLI that set-up found or brought, in this checkout
  npm run pulumi -- preview --stack NAME   what would be made, and why
  npm run pulumi -- up --stack NAME        make it
  npm run pulumi -- help                   all commands of Pulumi
  npm run pulumi -- COMMAND --help         the options of one`;

/** Options of Pulumi's commands, without those that only npm has by the same name. */
const PULUMI_OPTIONS = Object.fromEntries([
  ...[
    ["all", "clear-pending-creates", "config-path", "continue-on-error", "create", "debug", "diff", "emoji"],
    ["exclude-dependents", "exclude-protected", "expect-no-changes", "follow", "force", "full-dates"],
    ["fully-qualify-stack-names", "insecure", "interactive", "json", "local", "no-select", "non-interactive"],
    ["plaintext", "preserve-config", "preview-only", "protect", "raw", "refresh", "remove", "remove-backups"],
    ["run-program", "secret", "shell", "show-config", "show-full-output", "show-ids", "show-name"],
    [
      "show-reads",
      "show-replacement-steps",
      "show-sames",
      "show-secrets",
      "show-urns",
      "skip-pending-creates",
    ],
    ["skip-preview", "strict", "suppress-outputs", "suppress-progress", "target-dependents", "yes", "y"],
  ]
    .flat()
    .map((name) => [name, flag]),
  ...[
    ["attach-debugger", "cloud-url", "config", "config-file", "copy-config-from", "cwd", "default-org"],
    ["exclude", "file", "from", "import-file", "out", "parallel", "parent", "path", "policy-pack"],
    ["policy-pack-config", "properties", "provider", "replace", "save-plan", "secrets-provider", "since"],
    ["stack", "target", "target-replace", "teams", "tracing", "urns", "t", "c"],
  ]
    .flat()
    .map((name) => [name, text]),
]);

module.exports = {
  BENCH,
  BENCH_PARTS,
  BOOTS,
  COLLECT,
  DEMO,
  FLEET,
  FLEET_COMMANDS,
  LINT,
  NEW,
  NODE,
  PULUMI_OPTIONS,
  PULUMI_USAGE,
  REHEARSE,
  SETUP,
  TEST,
  VERIFY,
};
