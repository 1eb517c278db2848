import { readFileSync } from "node:fs";
import { join } from "node:path";
import execa from "execa";
import type { Checkout } from "../checkout";
import { TOP } from "../tools";
import { SmallLab } from "./small-lab";

const DOCUMENTS = ["README.md", "docs/runbook.md"];

/** Blocks that are not pasted here, by how they begin, with the reason. */
const NOT_HERE: Record<string, string> = {
  "git clone REPOSITORY": "a test run makes the demo first, and is the second command",
  "npm run new -- nuc1\n": "it asks a person; the README has it with options, too",
  "npm run new -- nuc2": "tests/engine/new.test.ts makes such stacks by options",
  "npm run verify -- /volume1/": "the NAS has that file",
  "rsync nuc1.raw.gz": "it copies to the NAS",
  "npm run verify -- /path/to/": "the path is the reader's own",
  "export IDRIVE_BUCKET": "tests/engine/publish.test.ts has a bucket",
  "ssh nas": "it runs on the NAS",
  "npm run verify -- s3://": "tests/steps/verify.test.ts has a bucket",
  "sops exec-file": "a Talos node has to answer",
};
/** A line that asks a person is pasted as its document has it with options, elsewhere. */
const ASKS = /^npm run new -- nuc\d( +#.*)?$/;
const FOR_NAS = /\bnas:|^ssh nas /;

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

let checkout: Checkout;

/** Runs a block in a shell as the runbook has it: `pulumi` stands for `npm run pulumi --`. */
function paste({ text }: Block) {
  const lines = text.split("\n").filter((line) => !ASKS.test(line) && !FOR_NAS.test(line));
  const script = [PULUMI, ...lines];
  return execa("bash", ["-e", "-o", "pipefail", "-c", script.join("\n")], {
    cwd: checkout.top,
    env: checkout.env,
    stdin: "ignore",
    all: true,
    reject: false,
  });
}

test("the runbook says what its commands mean by pulumi", () => {
  expect(BLOCKS.find(({ from }) => from.includes("runbook.md"))?.text).toContain(PULUMI);
});

beforeAll(async () => {
  ({ checkout } = await SmallLab.bare());
  checkout.use({
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
