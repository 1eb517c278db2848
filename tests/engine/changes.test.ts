import {
  appendFileSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { inToolEnvironment } from "../tools";
import { Checkout } from "../../tools/checkout";
import { PackerStandIn } from "./packer-stand-in";

let checkout: Checkout;
let packer: PackerStandIn;

beforeAll(async () => {
  checkout = new Checkout();
  const bases = checkout.path("artifacts/cache/base");
  const made = readdirSync(bases).find((name) => /^[0-9a-f]{20}$/.test(name));
  packer = new PackerStandIn(checkout.path("artifacts/packer-stand-in"), join(bases, made ?? "", "base.raw"));
  checkout.use({ BOOTSTRAP_PXE_CACHE: packer.cache });
  await checkout.stack("lab");
  await up();
}, 120_000);
afterAll(() => checkout.remove());

async function up(...flags: string[]): Promise<string> {
  const { exitCode, all } = await checkout.up("lab", ...flags);
  expect({ exitCode, said: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, said: "" });
  return all ?? "";
}

/** When each step last ended well. */
function ends(): Record<string, number> {
  const folder = checkout.path("artifacts/cache/runs/lab");
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name.replace(/\.json$/, ""), statSync(join(folder, name)).mtimeMs]),
  );
}

/** Steps that a piece of work ran, by name. */
async function stepsRunBy(work: () => Promise<unknown>): Promise<string[]> {
  const before = ends();
  await work();
  return Object.entries(ends()).flatMap(([name, end]) => (before[name] === end ? [] : [name]));
}

function edit(path: string, change: (text: string) => string): void {
  const file = checkout.path(path);
  writeFileSync(file, change(readFileSync(file, "utf8")));
}

/** The demo's machine config with another host name, encrypted for the same key. */
async function changeMachineConfig(): Promise<void> {
  const SOPS_AGE_KEY_FILE = checkout.path("artifacts/demo/age.key");
  const env = { SOPS_AGE_KEY_FILE };
  const path = checkout.path("artifacts/demo/controlplane.yaml");
  const yaml = ["--input-type", "yaml", "--output-type", "yaml"];
  const plain = await inToolEnvironment("sops", ["decrypt", ...yaml, path], { env });
  const config = parse(plain.stdout) as { machine: { sysctls?: Record<string, string> } };
  config.machine.sysctls = { "net.core.somaxconn": "65535" };
  const { stdout: recipient } = await inToolEnvironment("grep", ["-o", "age1[0-9a-z]*", SOPS_AGE_KEY_FILE]);
  const encrypt = ["encrypt", ...yaml, "--age", recipient, "/dev/stdin"];
  const encrypted = await inToolEnvironment("sops", encrypt, { env, input: stringify(config) });
  expect(encrypted.exitCode).toBe(0);
  writeFileSync(checkout.path("config/other.yaml"), encrypted.stdout);
  checkout.set("lab", { machineConfig: "config/other.yaml" });
}

const SITE = ["services-check", "appliance-assembly"];
const CHECKED_SITE = ["services-check", "machine-config-check", "appliance-assembly"];
const BASE = ["base-packer", "appliance-assembly"];

interface Change {
  what: string;
  make: () => void | Promise<void>;
  /** Resources that the preview changes; unset, those that run. */
  previewed?: string[];
  /** Steps that `up` runs. */
  run: string[];
  /** How often Packer runs in it. */
  packer?: number;
}

const CHANGES: Change[] = [
  { what: "nothing at all", make: () => undefined, run: [] },
  {
    what: "a comment in a component and in a step",
    make: () => {
      for (const path of ["components/Appliance.ts", "steps/appliance.ts", "steps/lib/process.ts"])
        appendFileSync(checkout.path(path), "\n// A thought.\n");
    },
    run: [],
  },
  {
    what: "the MAC",
    make: () => checkout.set("lab", { minipcMac: "52:54:00:ab:cd:ef" }),
    run: CHECKED_SITE,
  },
  { what: "the lease", make: () => checkout.set("lab", { minipcIp: "10.10.10.101" }), run: CHECKED_SITE },
  {
    what: "the appliance's address",
    make: () => checkout.set("lab", { applianceCidr: "10.10.10.3/24" }),
    run: CHECKED_SITE,
  },
  {
    what: "the range",
    make: () => checkout.set("lab", { dhcpRange: "10.10.10.50-10.10.10.70" }),
    run: SITE,
  },
  {
    what: "the machine config",
    make: changeMachineConfig,
    run: ["machine-config-check", "appliance-assembly"],
  },
  {
    what: "one template",
    make: () => edit("files/dnsmasq.conf", (text) => `${text}dhcp-option=option:domain-name,lab.example\n`),
    run: SITE,
  },
  {
    what: "the Talos version, with its ISO",
    make: () => checkout.set("lab", { talosVersion: "v1.11.5" }),
    run: ["talos-fetch", "netboot-layer", "services-check", "machine-config-check", "appliance-assembly"],
  },
  {
    what: "the base's image, another one",
    make: () => {
      const image = checkout.path("artifacts/demo/demo-server-cloudimg-amd64.img");
      const other = checkout.path("artifacts/demo/other.img");
      copyFileSync(image, other);
      appendFileSync(other, Buffer.alloc(65_536));
      checkout.set("lab", { baseUrl: "file://artifacts/demo/other.img" });
    },
    run: ["base-fetch", ...BASE],
    packer: 1,
  },
  {
    what: "Packer's template",
    make: () =>
      edit("packer/bootstrap.pkr.hcl", (text) => text.replace('default     = "8G"', 'default     = "9G"')),
    run: BASE,
    packer: 1,
  },
  {
    what: "a provisioner",
    make: () => edit("packer/provision/20-appliance.sh", (text) => `${text}true\n`),
    run: BASE,
    packer: 1,
  },
];

// Each starts from where the one before ended.
test.each(CHANGES.map((change) => [change.what, change] as const))(
  "%s changes exactly what it should",
  async (_what, { make, run, previewed = run, packer: builds = 0 }) => {
    await make();
    expect(Object.keys(await checkout.preview("lab")).sort()).toEqual([...previewed].sort());
    packer.forget();
    expect((await stepsRunBy(up)).sort()).toEqual([...run].sort());
    expect(packer.runs()).toBe(builds);
    await up("--expect-no-changes");
  },
  120_000,
);

/** The one file of a kind in a folder of the cache. */
function cached(folder: string, file: string): string {
  const within = checkout.path("artifacts/cache", folder);
  const newest = readdirSync(within)
    .filter((name) => /^[0-9a-f]{20}$/.test(name))
    .map((name) => join(within, name, file))
    .sort((a, b) => statSync(b).ctimeMs - statSync(a).ctimeMs)[0];
  if (!newest) throw new Error(`no ${file} in ${within}`);
  return newest;
}

/** Files of a checkout are links to the demo's: what is spoilt is a copy. */
function replaced(path: string, spoil: (copy: string) => void): void {
  copyFileSync(path, `${path}.copy`);
  spoil(`${path}.copy`);
  renameSync(`${path}.copy`, path);
}

test.each<[string, () => void, string[], number]>([
  ["the base deleted", () => rmSync(cached("base", "base.raw")), ["base-packer"], 1],
  [
    "the base truncated",
    () => replaced(cached("base", "base.raw"), (copy) => truncateSync(copy, 1 << 20)),
    ["base-packer"],
    1,
  ],
  [
    "a byte of the base altered",
    () => replaced(cached("base", "base.raw"), (copy) => writeFileSync(copy, "x", { flag: "r+" })),
    ["base-packer"],
    1,
  ],
  [
    "the base copied back from elsewhere, the same bytes",
    () => replaced(cached("base", "base.raw"), () => undefined),
    ["base-packer"],
    0,
  ],
  [
    "the netboot layer altered",
    () => replaced(cached("netboot", "netboot.squashfs"), (copy) => writeFileSync(copy, "x", { flag: "r+" })),
    ["netboot-layer"],
    0,
  ],
  [
    "the whole cache of layers deleted",
    () => {
      for (const folder of ["base", "netboot"])
        rmSync(checkout.path("artifacts/cache", folder), { recursive: true });
    },
    ["base-packer", "netboot-layer"],
    1,
  ],
])(
  "%s is noticed by preview, made good by up, and the image stays the same",
  async (_what, spoil, noticed, builds) => {
    const image = await checkout.output("lab", "imageSha256");
    spoil();
    expect(await checkout.preview("lab")).toMatchObject(
      Object.fromEntries(noticed.map((name) => [name, "update"])),
    );
    packer.forget();
    expect(await stepsRunBy(up)).toEqual(expect.arrayContaining(noticed));
    expect(packer.runs()).toBe(builds);
    await up("--expect-no-changes");
    expect(await checkout.output("lab", "imageSha256")).toBe(image);
  },
  120_000,
);

test("preview says which parts are reused, which run and why, and how long they took here", async () => {
  checkout.set("lab", { minipcMac: "52:54:00:12:34:99" });
  const { stdout } = await checkout.pulumi("preview", "--stack", "lab");
  expect(stdout).toMatch(
    /machine-config-check +runs +\d\S* s +minipcMac: 52:54:00:ab:cd:ef → 52:54:00:12:34:99/,
  );
  expect(stdout).toMatch(/services-check +runs .*files\/\S+: .*52:54:00:ab:cd:ef.* → .*52:54:00:12:34:99/);
  expect(stdout).toMatch(/base-packer +reused/);
  expect(stdout).toMatch(/appliance-assembly +follows +\d\S* s/);
  expect(stdout).toMatch(/About \d+\S* s if all of these run/);
  await up();
  expect((await checkout.pulumi("preview", "--stack", "lab")).stdout).toContain("Every part is reused: ");
});
