import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import execa from "execa";
import { parse } from "yaml";
import { nextSteps } from "../../components/next-steps";
import { checkConfig } from "../../stack/config";
import { makeContext } from "../../tools/setup/context.cjs";
import { Checkout } from "../checkout";
import { MAC, play, THROUGH } from "../steps/link-hosts";
import { testFolder } from "../steps/run-step";
import { inToolEnvironment, TOP } from "../tools";

const RUNBOOK = readFileSync(join(TOP, "docs/runbook.md"), "utf8");
/** The addresses of the runbook's example; the desk's own is any other of that network. */
const [LEASE, UPLINK, DESK] = ["10.10.10.100", "192.168.1.23", "192.168.1.7"];
const folder = testFolder();
let checkout: Checkout;

/** The runbook's first block with these words. */
function blockWith(words: string): string {
  const blocks = [...RUNBOOK.matchAll(/^```(?:sh)?\n(.*?)^```$/gms)].map(([, text]) => text as string);
  const found = blocks.find((text) => text.includes(words));
  if (!found) throw new Error(`the runbook has no block with ${words}`);
  return found;
}

const quoted = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;

/** A script that runs commands as a person at the desk does: in the checkout, with the tools of the runbook's first block. */
function atTheDesk(commands: string): string {
  const env = Object.entries(checkout.env).map(([name, value]) => `export ${name}=${quoted(value ?? "")}`);
  const pulumi = blockWith("pulumi()").split("\n").at(-2) ?? "";
  return [`cd ${quoted(checkout.top)}`, ...env, pulumi, commands].join("\n");
}

/** What the stack's config says of the operator's networks. */
function operatorNetworkOf(stack: string): string {
  const { config } = parse(readFileSync(checkout.path(`Pulumi.${stack}.yaml`), "utf8")) as {
    config: Record<string, string>;
  };
  return config["bootstrap-pxe:operatorNetwork"] ?? "";
}

/** What the appliance's console says of the way in, by its own function. */
async function consoleLines(operatorNetwork: string): Promise<string[]> {
  const env = {
    ...{ APPLIANCE_CIDR: "10.10.10.2/24", MINIPC_IP: LEASE, ROUTER: "192.168.1.1" },
    ...{ UPLINK_CIDR: `${UPLINK}/24`, OPERATOR_NETWORKS: operatorNetwork },
  };
  const verdict = join(TOP, "packer/appliance/verdict");
  const { exitCode, all, stdout } = await inToolEnvironment("sh", ["-euc", '. "$0"; way_in', verdict], {
    env,
  });
  expect([exitCode, all]).toEqual([0, stdout]);
  return stdout.split("\n").map((line) => `bootstrap-pxe: ${line}`);
}

/** What `up` says of it, with the address that only the console knows. */
function nextLines(operatorNetwork: string): string[] {
  const config = checkConfig({ bootstrapVersion: "x", minipcMac: MAC, operatorNetwork }, "nuc1");
  const image = { path: "nuc1.raw", sha256: "ab".repeat(32), bytes: 1 };
  const checked = { machineType: "controlplane", endpoint: `https://${LEASE}:6443` } as const;
  const made = { stack: "nuc1", image, rehearsal: "not rehearsed" as const, checked, starters: [] };
  return nextSteps(made, config).map((line) => line.replace("UPLINK", UPLINK));
}

const linuxOf = (lines: string[]) =>
  lines.map((line) => /Linux: +(.*)/.exec(line)?.[1]).filter((command) => command !== undefined);

beforeAll(async () => {
  checkout = new Checkout("test", []);
  const home = checkout.path("artifacts/home");
  mkdirSync(home);
  checkout.use({
    HOME: home,
    BOOTSTRAP_PXE_CACHE: makeContext().cache,
    SOPS_AGE_KEY_FILE: checkout.path("artifacts/identity/keys.txt"),
    SOPS_AGE_KEY: "",
  });
  execa.sync("git", ["init", "--quiet"], { cwd: checkout.top });
  const config = ["--mac", MAC, "--disk", "/dev/nvme0n1", "--endpoint", `https://${LEASE}:6443`];
  const made = await checkout.script("commands/new.mjs", ["nuc1", ...config, "--make-age-key"]);
  expect([made.exitCode, made.all]).toEqual([0, expect.any(String)]);
  const opens = blockWith("config set operatorNetwork");
  const set = await execa("bash", ["-e", "-c", atTheDesk(opens)], { all: true, reject: false });
  expect([set.exitCode, set.all]).toEqual([0, expect.any(String)]);
  const decrypt = ["decrypt", checkout.path("config/nuc1.controlplane.yaml")];
  const options = { env: { SOPS_AGE_KEY_FILE: checkout.env.SOPS_AGE_KEY_FILE } };
  const opened = await inToolEnvironment("sops", decrypt, options);
  expect([opened.exitCode, opened.all]).toEqual([0, opened.stdout]);
  writeFileSync(join(folder, "controlplane.yaml"), opened.stdout);
});
afterAll(() => checkout.remove());

test("the runbook, the console and the next steps name the same route", async () => {
  const said = await consoleLines(operatorNetworkOf("nuc1"));
  expect(blockWith("way in: hosts of").trimEnd().split("\n")).toEqual(said);
  expect(linuxOf(said)).toHaveLength(1);
  expect(linuxOf(nextLines(operatorNetworkOf("nuc1")))).toEqual(linuxOf(said));
});

/** The node answers from the start: what keeps the desk from it is the route alone. A desk's own router swallows what is for it. */
const PLAY = `
${THROUGH}
ip address flush dev uplink; ip address add ${UPLINK}/24 dev uplink
in_host ip address flush dev eth0; in_host ip address add ${DESK}/24 dev eth0
in_host ip neighbor add 192.168.1.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent
in_host ip route add default via 192.168.1.1
in_pc talos-api-1.11 --listen ${LEASE}:50000 --kubernetes ${LEASE}:6443 --installing 1 <controlplane.yaml >node 2>&1 & daemons=$!
await 'grep -q ^serving node'
: >desk
{ in_host bash -e -o pipefail desk.sh >>desk 2>&1 && echo 0 >ended || echo $? >ended; } &
await '[ -s ended ] || grep -q "port 50000: " desk'
echo "the route is added" >>desk
in_host sh -e route.sh
await '[ -s ended ]'
cat desk node; echo "the desk's commands ended with status $(cat ended)"
`;

test("with the console's route the runbook's commands lead from the desk to a Ready node", async () => {
  const operatorNetwork = operatorNetworkOf("nuc1");
  const [route = ""] = linuxOf(await consoleLines(operatorNetwork));
  // Who types it is root in the desk's namespace already.
  expect(route).toMatch(/^sudo /);
  writeFileSync(join(folder, "route.sh"), route.replace(/^sudo /, ""));
  const commands = blockWith("npm run node -- --stack nuc1");
  const [kubectl = ""] = commands.split("\n").filter((line) => line.startsWith("kubectl "));
  writeFileSync(join(folder, "desk.sh"), atTheDesk(commands));
  const said = await play(folder, PLAY, { operatorNetwork });
  const kubeconfig = join(checkout.env.HOME ?? "", ".kube/nuc1");
  const inOrder = [
    `waiting for Talos to answer at ${LEASE}, port 50000: `,
    "the route is added",
    "node: Talos v1.11.6 answers, after",
    "node: etcd is bootstrapped, after",
    "node: the node is Ready, after",
    kubectl.replace("~/.kube/nuc1", `'${kubeconfig}'`),
    "\nbootstrapped\n",
    "\nKubernetes: GET /api/v1/nodes\n",
    "the desk's commands ended with status 0",
  ];
  const places = inOrder.map((words) => said.indexOf(words));
  expect(inOrder.filter((_, index) => places[index] === -1)).toEqual([]);
  expect(places).toEqual([...places].sort((one, other) => one - other));
  expect(said).toMatch(/^NAME +STATUS +ROLES +VERSION\nnode +Ready +control-plane +v1\./m);
});
