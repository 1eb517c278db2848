import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import execa from "execa";
import { parse } from "yaml";
import { Checkout } from "../checkout";
import { inToolEnvironment } from "../tools";

let checkout: Checkout;
let identity: string;

beforeAll(() => {
  checkout = new Checkout();
  identity = checkout.path("artifacts/identity/keys.txt");
  checkout.use({ SOPS_AGE_KEY_FILE: identity, SOPS_AGE_KEY: "" });
  execa.sync("git", ["init", "--quiet"], { cwd: checkout.top });
  execa.sync("git", ["add", "."], { cwd: checkout.top });
});
afterAll(() => checkout.remove());

const make = (...args: string[]) => checkout.script("commands/new.mjs", args);
/** What git would add, besides the checkout itself. */
const untracked = () =>
  execa
    .sync("git", ["ls-files", "--others", "--modified", "--exclude-standard"], { cwd: checkout.top })
    .stdout.split("\n")
    .filter(Boolean)
    .sort();
const NUC1 = ["--mac", "48:21:0b:12:34:56", "--disk", "/dev/nvme0n1", "--endpoint", "talos.example"];
const MADE = ["Pulumi.nuc1.yaml", "config/nuc1.controlplane.yaml", "config/nuc1.talosconfig"];

interface Opened {
  machine: { type: string; ca: { crt: string }; install: { disk: string; image: string } };
  cluster: { controlPlane: { endpoint: string } };
}

async function opened(path: string): Promise<Opened> {
  const options = { env: { SOPS_AGE_KEY_FILE: identity } };
  const { stdout } = await inToolEnvironment("sops", ["decrypt", checkout.path(path)], options);
  return parse(stdout) as Opened;
}

test("without a terminal every fault of the command line is listed at once, and nothing is made", async () => {
  const { exitCode, all } = await make("nuc1", "--disk", "nvme0n1");
  expect(exitCode).toBe(1);
  for (const fault of ["--mac: it is missing", "--disk: nvme0n1 is not a disk", "--endpoint: it is missing"])
    expect(all).toContain(fault);
  expect(all).toContain(`--age-key: there is no age identity ${identity}: --make-age-key makes one`);
  expect(untracked()).toEqual([]);
});

test("the age identity that Pulumi.yaml names for all stacks is the one that is looked for", async () => {
  const path = checkout.path("Pulumi.yaml");
  const before = readFileSync(path, "utf8");
  writeFileSync(path, before.replace(/(ageKeyFile:\n(?: .*\n)*?) *default: ""/, "$1    value: team/age.key"));
  expect(readFileSync(path, "utf8")).not.toBe(before);
  const { exitCode, all } = await make("nuc1", ...NUC1);
  writeFileSync(path, before);
  expect(exitCode).toBe(1);
  expect(all).toContain(`--age-key: there is no age identity ${checkout.path("team/age.key")}`);
});

test("where a later part fails, what was made is taken back, the identity too", async () => {
  // Pulumi makes no stack without a passphrase.
  checkout.use({ PULUMI_CONFIG_PASSPHRASE: undefined, PULUMI_CONFIG_PASSPHRASE_FILE: "/nowhere" });
  const { exitCode, all } = await make("nuc1", ...NUC1, "--make-age-key");
  checkout.use({ PULUMI_CONFIG_PASSPHRASE: "test", PULUMI_CONFIG_PASSPHRASE_FILE: "" });
  expect(exitCode).toBe(1);
  expect(all).toContain("new: running pulumi stack");
  expect(untracked()).toEqual([]);
  expect(existsSync(identity)).toBe(false);
});

test("a stack from options alone: encrypted, with an identity, ready for preview", async () => {
  const { exitCode, all, stdout } = await make("nuc1", ...NUC1, "--make-age-key");
  expect(all).toContain("npm run pulumi -- preview --stack nuc1");
  expect([exitCode, stdout]).toEqual([0, ""]);
  expect(untracked()).toEqual(MADE);
  expect((statSync(identity).mode & 0o777).toString(8)).toBe("600");
  for (const path of MADE.slice(1)) expect(readFileSync(checkout.path(path), "utf8")).toMatch(/^sops:/m);
  const { machine, cluster } = await opened("config/nuc1.controlplane.yaml");
  expect(machine).toMatchObject({
    type: "controlplane",
    install: { disk: "/dev/nvme0n1", image: "ghcr.io/siderolabs/installer:v1.11.6" },
  });
  expect(cluster.controlPlane.endpoint).toBe("https://talos.example:6443");
  expect(await checkout.preview("nuc1")).toMatchObject({ "appliance-assembly": "create" });
});

test("on a terminal each question is asked, a wrong answer again, and the answers make the stack", async () => {
  const answers = {
    "MAC of the mini-PC's NIC": ["00:11:22:33:44:55", "48-21-0B-12-34-5A"],
    "Disk that Talos is installed on": ["/dev/sda"],
    "Where the cluster is reached for good": ["192.168.1.50"],
    "Talos release": [""],
    "Schematic of the Image Factory": [""],
    "Its address on the isolated link": ["10.10.10.105"],
  };
  const terminal = execa(
    "script",
    ["--quiet", "--return", "--command", "node commands/new.mjs nuc6", "/dev/null"],
    {
      cwd: checkout.top,
      env: { ...checkout.env, CI: "" },
      all: true,
      reject: false,
    },
  );
  let unread = "";
  terminal.stdout?.on("data", (text) => {
    unread += stripVTControlCharacters(String(text));
    const isAsking = unread.endsWith(": ");
    const [question, rest] = Object.entries(answers).find(
      ([words, left]) => isAsking && left.length > 0 && unread.includes(words),
    ) ?? ["", []];
    if (question) {
      unread = "";
      terminal.stdin?.write(`${rest.shift()}\n`);
    }
  });
  const { exitCode, all } = await terminal;
  expect(Object.values(answers).flat()).toEqual([]);
  expect(all).toContain("the example in the documents");
  expect(all).toContain("npm run pulumi -- preview --stack nuc6");
  expect(exitCode).toBe(0);
  expect(readFileSync(checkout.path("Pulumi.nuc6.yaml"), "utf8")).toMatch(
    /minipcMac: 48-21-0B-12-34-5A\n *bootstrap-pxe:minipcIp: 10\.10\.10\.105/i,
  );
  expect((await opened("config/nuc6.controlplane.yaml")).cluster.controlPlane.endpoint).toBe(
    "https://192.168.1.50:6443",
  );
  const made = ["Pulumi.nuc6.yaml", "config/nuc6.controlplane.yaml", "config/nuc6.talosconfig"];
  for (const path of made) rmSync(checkout.path(path));
});

test("what npm run new made passes the check of `up`", async () => {
  const { config } = parse(readFileSync(checkout.path("Pulumi.nuc1.yaml"), "utf8")) as {
    config: Record<string, string>;
  };
  const input = {
    path: "config/nuc1.controlplane.yaml",
    allowPlaintext: false,
    talosVersion: config["bootstrap-pxe:talosVersion"],
    minipcIp: "10.10.10.100",
    minipcMac: config["bootstrap-pxe:minipcMac"],
    applianceCidr: "10.10.10.2/24",
  };
  const { stdout } = await execa("steps/run", ["machine-config"], {
    cwd: checkout.top,
    env: checkout.env,
    input: JSON.stringify(input),
  });
  expect(JSON.parse(stdout)).toMatchObject({ machineType: "controlplane", warnings: [] });
});

test("with a schematic: its installer in the config, its ISO in the preview", async () => {
  const schematic = "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515";
  const flags = [...NUC1, "--mac", "48:21:0b:12:34:59", "--schematic", schematic];
  const { exitCode, all } = await make("nuc4", ...flags);
  expect([exitCode, all]).toEqual([0, expect.stringContaining(`schematic ${schematic}`)]);
  const { machine } = await opened("config/nuc4.controlplane.yaml");
  expect(machine.install.image).toBe(`factory.talos.dev/metal-installer/${schematic}:v1.11.6`);
  const { stdout } = await checkout.pulumi("preview", "--stack", "nuc4");
  expect(stdout).toMatch(/talos-fetch +runs/);
  for (const name of ["Pulumi.nuc4.yaml", "config/nuc4.controlplane.yaml", "config/nuc4.talosconfig"])
    rmSync(checkout.path(name));
});

test("nothing is overwritten", async () => {
  const before = MADE.map((path) => readFileSync(checkout.path(path), "utf8"));
  const { exitCode, all } = await make("nuc1", ...NUC1);
  expect(exitCode).toBe(1);
  expect(all).toContain(`there is ${MADE.join(", ")} already. Nothing was made`);
  expect(MADE.map((path) => readFileSync(checkout.path(path), "utf8"))).toEqual(before);
  mkdirSync(checkout.path("config"), { recursive: true });
  writeFileSync(checkout.path("config/nuc8.talosconfig"), "mine");
  expect((await make("nuc8", ...NUC1)).all).toContain("there is config/nuc8.talosconfig already");
  expect(untracked()).toEqual([...MADE, "config/nuc8.talosconfig"]);
});

test("a worker joins with the secrets of the first machine, and has another address and image", async () => {
  const worker = ["--join", "nuc1", "--role", "worker", "--mac", "48:21:0b:12:34:57", "--disk", "/dev/sda"];
  const { exitCode, all } = await make("nuc2", ...worker);
  expect(all).toContain("a worker of the cluster nuc1 at https://talos.example:6443");
  expect(exitCode).toBe(0);
  const [first, second] = [
    await opened("config/nuc1.controlplane.yaml"),
    await opened("config/nuc2.worker.yaml"),
  ];
  expect(second.machine.type).toBe("worker");
  expect(second.machine.ca.crt).toBe(first.machine.ca.crt);
  expect(readFileSync(checkout.path("Pulumi.nuc2.yaml"), "utf8")).toMatch(
    /minipcIp: 10\.10\.10\.101[^]*artifactName: nuc2/,
  );
  expect((await make("nuc3", "--join", "nuc2")).all).toContain("config/nuc2.worker.yaml is a worker's");
});
