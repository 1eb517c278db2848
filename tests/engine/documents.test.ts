import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import execa from "execa";
import { EXAMPLE_MAC } from "../../stack/config/values";
import { makeContext } from "../../tools/setup/context.cjs";
import type { Checkout } from "../checkout";
import { TOP } from "../tools";
import { SmallLab } from "./small-lab";

const DOCUMENTS = [
  "README.md",
  "docs/runbook.md",
  "config/README.md",
  "docs/machine-config.md",
  "docs/lasting-network.md",
  "docs/troubleshooting.md",
  "docs/fleet.md",
  "docs/rehearsal.md",
  "docs/config.md",
  "docs/talos-releases.md",
  "docs/offline.md",
  "docs/hypervisors.md",
];

/** Blocks that are not pasted here, by how they begin, with the reason. */
const NOT_HERE: Record<string, string> = {
  "git clone REPOSITORY": "a test run makes the demo first, and is the second command",
  "npm run new -- nuc1\n": "it asks a person; the README has it with options, too",
  "npm run new -- nuc2": "tests/engine/new.test.ts makes such stacks by options",
  "npm run new -- nuc1 --schematic": "it asks a person; tests/engine/new.test.ts has it with options",
  "npm run verify -- /volume1/": "the NAS has that file",
  "npm run collect": "a virtual machine has to have booted; tests/boots/collect.test.ts has one",
  "rsync nuc1.raw.gz": "it copies to the NAS",
  "npm run verify -- /path/to/": "the path is the reader's own",
  "export IDRIVE_BUCKET": "tests/engine/publish.test.ts has a bucket",
  "ssh nas": "it runs on the NAS",
  "npm run verify -- s3://": "tests/steps/verify.test.ts has a bucket",
  "mkdir -p ~/.kube": "a Talos node has to answer; tests/boots/desk.test.ts has one",
  "sops exec-file": "a Talos node has to answer",
  "npm run fleet -- preview --all": "tests/engine/fleet.test.ts has a fleet",
  "export AWS_ACCESS_KEY_ID": "tests/engine/s3-backend.test.ts has such a backend",
  "npm run rehearse": "it boots an image; tests/engine/offline.test.ts does",
  "npm run pulumi -- config set offline": "tests/engine/offline.test.ts has registries",
  "npm run pulumi -- config set extraImages":
    "the stack that is pasted is not offline; tests/unit/program.test.ts has it",
  "npm run --silent pulumi -- stack output": "a Talos node has to answer",
  "unsquashfs -dest": "the folder's name is the reader's own",
  'printf \'{"version"': "it copies to the reader's own registry",
  "skopeo sync": "it copies to the reader's own registry",
  "npm run pulumi -- config set KEY VALUE": "KEY and VALUE are the reader's own",
  "sops decrypt": "tests/setup/talos-releases.test.ts has every release's loader",
  journalctl: "it runs in the appliance",
  "qm create": "it runs on the hypervisor",
  "dd if=/mnt/tank": "it runs on the hypervisor",
  "qemu-img convert": "the image is the reader's own",
  vmkfstools: "it runs on the hypervisor",
  "virt-install": "it runs on the hypervisor",
};
/** A line that asks a person is pasted as its document has it with options, elsewhere. */
const ASKS = /^npm run new -- nuc\d( +#.*)?$/;
const FOR_NAS = /\bnas:|^ssh nas /;
/** What the reader of a block has in place of its examples. The stack of config/README.md is made by hand. */
const OWN: [example: RegExp, own: string, where?: RegExp][] = [
  [new RegExp(EXAMPLE_MAC, "g"), "48:21:0b:12:34:56"],
  [/\bnuc1\b/g, "byhand", /^npm run pulumi -- stack init/],
];
/** An editor that adds a line to what it is given. */
const EDITOR = `sh -c 'echo "# seen" >> "$0"'`;

interface Block {
  from: string;
  text: string;
}

function blocksOf(document: string): Block[] {
  const text = readFileSync(join(TOP, document), "utf8");
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block], index) => ({
    from: `${document}, block ${index + 1}`,
    text: block as string,
  }));
}

const BLOCKS = DOCUMENTS.flatMap(blocksOf);
const reasonFor = ({ text }: Block) => Object.keys(NOT_HERE).find((beginning) => text.startsWith(beginning));
const pasted = BLOCKS.filter((block) => !reasonFor(block));
/** The block that makes the stack comes first, whatever stands before it. */
const makesStack = ({ text }: Block) => text.startsWith("npm run new -- nuc1 --mac");
const IN_ORDER = [...pasted.filter(makesStack), ...pasted.filter((block) => !makesStack(block))];

/** What the runbook's first block defines for those that follow. */
const PULUMI = 'pulumi() { npm --silent run pulumi -- "$@"; }';
const TOOLS = 'export PATH="${XDG_CACHE_HOME:-$HOME/.cache}/bootstrap-pxe/bin:$PATH"';
/** Its stand-in is behind every talosctl that is there. */
const STAND_IN = 'export PATH="$PATH:$HOME/stand-in"';

let checkout: Checkout;

/** Runs a block in a shell as the runbook has it, with the tools and `pulumi` for `npm run pulumi --`. */
function paste({ text }: Block) {
  const own = OWN.filter(([, , where]) => !where || where.test(text)).reduce(
    (held, [example, given]) => held.replace(example, given),
    text,
  );
  const lines = own.split("\n").filter((line) => !ASKS.test(line) && !FOR_NAS.test(line));
  const script = [TOOLS, STAND_IN, PULUMI, ...lines];
  return execa("bash", ["-e", "-o", "pipefail", "-c", script.join("\n")], {
    cwd: checkout.top,
    env: checkout.env,
    stdin: "ignore",
    all: true,
    reject: false,
  });
}

/** What git says of the checkout's files: those that changed, or that it would add. */
const git = (...args: string[]) =>
  execa.sync("git", args, { cwd: checkout.top }).stdout.split("\n").filter(Boolean);

test("the runbook says what its commands mean by pulumi, and where the tools are", () => {
  const first = BLOCKS.find(({ from }) => from.includes("runbook.md"))?.text;
  for (const line of [PULUMI, TOOLS]) expect(first).toContain(line);
});

beforeAll(async () => {
  ({ checkout } = await SmallLab.bare());
  git("init", "--quiet");
  git("add", ".");
  const home = checkout.path("artifacts/home");
  mkdirSync(join(home, ".cache"), { recursive: true });
  symlinkSync(makeContext().cache, join(home, ".cache/bootstrap-pxe"));
  mkdirSync(join(home, "stand-in"));
  symlinkSync(join(__dirname, "talosctl-stand-in.cjs"), join(home, "stand-in/talosctl"));
  checkout.use({
    HOME: home,
    XDG_CACHE_HOME: "",
    EDITOR,
    BOOTSTRAP_PXE_ISO_URL: "file://artifacts/demo/metal-amd64.iso",
    BOOTSTRAP_PXE_BASE_URL: "file://artifacts/demo/demo-server-cloudimg-amd64.img",
    SOPS_AGE_KEY_FILE: checkout.path("artifacts/identity/keys.txt"),
    SOPS_AGE_KEY: "",
    // A terminal asks whether to go on.
    PULUMI_SKIP_CONFIRMATIONS: "true",
  });
});
afterAll(() => checkout.remove());

test("each block that is not pasted has a reason, and each reason a block", () => {
  const reasons = BLOCKS.flatMap((block) => reasonFor(block) ?? []);
  expect([...new Set(reasons)].sort()).toEqual(Object.keys(NOT_HERE).sort());
  expect(IN_ORDER.some(makesStack)).toBe(true);
  expect(IN_ORDER.length).toBeGreaterThan(5);
});

test.each(IN_ORDER)("$from runs as it stands", async (block) => {
  const { exitCode, all } = await paste(block);
  expect({ exitCode, all: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, all: "" });
  // Only a whole base boots: what is rehearsed is the demo's.
  if (makesStack(block)) await checkout.pulumi("config", "set", "rehearse", "false", "--stack", "nuc1");
});

test("after all that the files that git knows are as they were, and those that it would add are the stacks'", () => {
  expect(git("diff", "--name-only")).toEqual([]);
  const made = (stack: string) => `Pulumi.${stack}.yaml`;
  expect(git("ls-files", "--others", "--exclude-standard").sort()).toEqual([
    ...[made("byhand"), made("nuc1"), "config/controlplane.yaml"],
    ...["config/nuc1.controlplane.yaml", "config/nuc1.talosconfig", "config/talosconfig"],
  ]);
});
