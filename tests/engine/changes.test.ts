import {
  appendFileSync,
  copyFileSync,
  existsSync,
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
import { readStackFile } from "../../stack/stack-files";
import type { Checkout, Plan } from "../checkout";
import { inToolEnvironment, sha256Of, tool } from "../tools";
import { upEndsWell } from "./aftermath";
import type { PackerStandIn } from "./packer-stand-in";
import { SmallLab } from "./small-lab";

let lab: SmallLab;
let checkout: Checkout;
let packer: PackerStandIn;

beforeAll(async () => {
  lab = await SmallLab.make();
  ({ checkout, packer } = lab);
  await writeMachineConfig({});
  checkout.set("lab", { machineConfig: MACHINE_CONFIG });
  await up();
});
afterAll(() => lab?.remove());

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

const MACHINE_CONFIG = "config/lab.yaml";

/** Encrypts the demo's machine config with a change; its endpoint is no address of the link, so that the lease may change. */
async function writeMachineConfig(sysctls: Record<string, string>, version = "v1.11.6"): Promise<void> {
  const SOPS_AGE_KEY_FILE = checkout.path("artifacts/demo/age.key");
  const sops = async (...args: string[]) => {
    const { exitCode, all, stdout } = await inToolEnvironment("sops", args, { env: { SOPS_AGE_KEY_FILE } });
    if (exitCode !== 0) throw new Error(all);
    return stdout;
  };
  const config = parse(await sops("decrypt", checkout.path("artifacts/demo/controlplane.yaml"))) as {
    machine: { sysctls?: Record<string, string>; install: { image: string } };
    cluster: { controlPlane: { endpoint: string } };
  };
  config.machine.sysctls = sysctls;
  config.machine.install.image = `ghcr.io/siderolabs/installer:${version}`;
  config.cluster.controlPlane.endpoint = "https://cluster.lab.example:6443";
  const path = checkout.path(MACHINE_CONFIG);
  writeFileSync(path, stringify(config));
  const recipient = await tool("age-keygen", ["-y", SOPS_AGE_KEY_FILE]);
  await sops("encrypt", "--in-place", "--age", recipient.trim(), path);
}

const SITE = ["services-check", "appliance-assembly"];
const CHECKED_SITE = ["services-check", "config-check", "appliance-assembly"];
const NETBOOT = ["netboot-layer", "appliance-assembly"];
const BASE = ["base-packer", "appliance-assembly"];
/** A component and its step, which come and go together. */
const COMPRESSED = ["compressed", "compressed-members"];
const IMAGE = "artifacts/bootstrap/demo/bootstrap-pxe.raw";

const imageSum = () => sha256Of(readFileSync(checkout.path(IMAGE)));

const each = (names: string[], op: string): Plan => Object.fromEntries(names.map((name) => [name, op]));

/** An ISO like the demo's, whose menu boots with other arguments and which names no release. */
async function makeIso(path: string, kernelArguments: string): Promise<void> {
  const menu = checkout.path("artifacts/grub.cfg");
  writeFileSync(menu, `menuentry "Talos ISO" {\n\tlinux /boot/vmlinuz ${kernelArguments}\n}\n`);
  const demo = checkout.path("artifacts/demo/metal-amd64.iso");
  await tool("xorriso", [
    "-indev",
    demo,
    "-outdev",
    path,
    "-volid",
    "ISO",
    "-map",
    menu,
    "/boot/grub/grub.cfg",
  ]);
}

interface Change {
  what: string;
  make: () => void | Promise<void>;
  /** What the preview does to which resource; unset, it updates those that run. */
  previewed?: Plan;
  /** Steps that `up` runs. */
  run: string[];
  /** How often Packer runs in it. */
  packer?: number;
  /** Files that are removed by it. */
  gone?: string[];
}

const CHANGES: Change[] = [
  {
    what: "the MAC",
    make: () => checkout.set("lab", { minipcMac: "52:54:00:ab:cd:ef" }),
    run: CHECKED_SITE,
  },
  {
    what: "the range",
    make: () => checkout.set("lab", { dhcpRange: "10.10.10.50-10.10.10.70" }),
    run: SITE,
  },
  {
    what: "the machine config",
    make: () => writeMachineConfig({ "net.core.somaxconn": "65535" }),
    run: ["config-check", "appliance-assembly"],
  },
  {
    what: "one template",
    make: () => edit("files/dnsmasq.conf", (text) => `${text}dhcp-option=option:domain-name,lab.example\n`),
    run: SITE,
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
  { what: "the lease", make: () => checkout.set("lab", { minipcIp: "10.10.10.101" }), run: CHECKED_SITE },
  {
    what: "Packer's template",
    make: () =>
      edit("packer/bootstrap.pkr.hcl", (text) => text.replace('default     = "8G"', 'default     = "9G"')),
    run: BASE,
    packer: 1,
  },
  {
    what: "the appliance's address",
    make: () => checkout.set("lab", { applianceCidr: "10.10.10.3/24" }),
    run: CHECKED_SITE,
  },
  {
    what: "a provisioner",
    make: () => edit("packer/provision/20-appliance.sh", (text) => `${text}true\n`),
    run: BASE,
    packer: 1,
  },
  {
    what: "the Talos version, with its ISO",
    make: async () => {
      const other = "artifacts/demo/v1.11.5.iso";
      const copied = [
        "-indev",
        checkout.path("artifacts/demo/metal-amd64.iso"),
        "-outdev",
        checkout.path(other),
      ];
      // An ISO names its release.
      await tool("xorriso", [...copied, "-volid", "TALOS_V1_11_5"]);
      checkout.set("lab", { talosVersion: "v1.11.5", isoUrl: `file://${other}` });
      // A machine config names the release that it installs.
      await writeMachineConfig({}, "v1.11.5");
    },
    run: ["talos-fetch", "netboot-layer", "services-check", "config-check", "appliance-assembly"],
  },
  {
    what: "the ISO's kernel line",
    make: async () => {
      const iso = checkout.path("artifacts/demo/other.iso");
      await makeIso(iso, "slab_nomerge= pti=on pci=nommconf");
      checkout.set("lab", { isoUrl: "file://artifacts/demo/other.iso" });
    },
    run: ["talos-fetch", ...NETBOOT],
  },
  {
    what: "an argument of the kernel",
    make: () => checkout.set("lab", { kernelArgs: "nosmt" }),
    run: ["appliance-assembly"],
  },
  { what: "nothing at all", make: () => undefined, run: [] },
  {
    what: "compression, switched on",
    make: () => checkout.set("lab", { compress: "gzip" }),
    previewed: each(COMPRESSED, "create"),
    run: ["compressed-members"],
  },
  {
    what: "the MAC of a compressed image",
    make: () => checkout.set("lab", { minipcMac: "52:54:00:ab:cd:f0" }),
    run: [...CHECKED_SITE, "compressed-members"],
  },
  {
    what: "another compression",
    make: () => checkout.set("lab", { compress: "zstd" }),
    previewed: { "compressed-members": "replace" },
    run: ["compressed-members"],
    gone: [`${IMAGE}.gz`],
  },
  {
    what: "compression, switched off",
    make: () => checkout.set("lab", { compress: "none" }),
    previewed: each(COMPRESSED, "delete"),
    run: [],
    gone: [`${IMAGE}.zst`],
  },
  {
    what: "another name for the image",
    make: () => checkout.set("lab", { artifactName: "nuc1" }),
    previewed: { "appliance-assembly": "replace" },
    run: ["appliance-assembly"],
    gone: [IMAGE],
  },
  {
    what: "a comment in a component and in a step",
    make: () => {
      const steps = ["steps/appliance.ts", "steps/base.ts", "steps/programs/process.ts"];
      for (const path of ["components/Appliance.ts", ...steps])
        appendFileSync(checkout.path(path), "\n// A thought.\n");
    },
    run: [],
  },
  {
    what: "another version of the appliance",
    make: () => checkout.set("lab", { artifactName: "bootstrap-pxe", bootstrapVersion: "demo2" }),
    previewed: { console: "replace", "services-check": "update", "appliance-assembly": "replace" },
    run: SITE,
    gone: ["artifacts/bootstrap/demo/nuc1.raw", "artifacts/bootstrap/demo/SHA256SUMS"],
  },
  {
    what: "the version that was before",
    make: () => checkout.set("lab", { bootstrapVersion: "demo" }),
    previewed: { console: "replace", "services-check": "update", "appliance-assembly": "replace" },
    run: SITE,
    gone: ["artifacts/bootstrap/demo2/bootstrap-pxe.raw"],
  },
];

const previewOf = ({ run, previewed = each(run, "update") }: Pick<Change, "run" | "previewed">): Plan =>
  previewed;

/**
 * Each case starts from where the one before ended, so that its preview shows what that one left undone: with whether it would
 * not, since all of it runs there anyway. Neighbours have little in common for that.
 */
const inTurn = <T extends Pick<Change, "what" | "run" | "previewed">>(cases: T[]) =>
  cases.map((each, index) => {
    const next = cases[index + 1];
    const isHidden = !next || (each.run.length > 0 && each.run.every((step) => step in previewOf(next)));
    return [each.what, each, isHidden] as const;
  });

test.each(inTurn(CHANGES))("%s changes exactly what it should", async (_what, change, needsSecondUp) => {
  const { make, run, packer: builds = 0, gone = [] } = change;
  await make();
  expect(await checkout.preview("lab")).toEqual(previewOf(change));
  packer.forget();
  expect((await stepsRunBy(up)).sort()).toEqual([...run].sort());
  expect(packer.runs()).toBe(builds);
  expect(gone.filter((path) => existsSync(checkout.path(path)))).toEqual([]);
  if (needsSecondUp) await up("--expect-no-changes");
});

test("an ISO's argument that iPXE would read as its own script is refused in one line", async () => {
  const file = checkout.path("Pulumi.lab.yaml");
  const held = readFileSync(file, "utf8");
  await makeIso(checkout.path("artifacts/demo/script.iso"), "slab_nomerge= pti=on a=\\$\\{uuid\\}");
  checkout.set("lab", { isoUrl: "file://artifacts/demo/script.iso" });
  const { exitCode, all } = await checkout.up("lab");
  expect(exitCode).not.toBe(0);
  expect(all).toContain('boot.ipxe: iPXE reads "${uuid}" of a=${uuid} as its own script. Shorten or drop');
  expect(all).not.toContain("    at ");
  writeFileSync(file, held);
  await up();
});

/** The file that a step made, as its last run remembers it. */
function madeBy(step: string): string {
  const run = JSON.parse(readFileSync(checkout.path(`artifacts/cache/runs/lab/${step}.json`), "utf8")) as {
    input: { path: string };
  };
  return checkout.path(run.input.path);
}

/** Files of a checkout are links to the demo's: what is spoilt is a copy. */
function replaced(path: string, spoil: (copy: string) => void): void {
  copyFileSync(path, `${path}.copy`);
  spoil(`${path}.copy`);
  renameSync(`${path}.copy`, path);
}

interface Loss extends Omit<Change, "make" | "gone"> {
  spoil: () => void;
}

const overwriteFirstByte = (copy: string) => writeFileSync(copy, "x", { flag: "r+" });

const LOSSES = [
  {
    what: "the ISO deleted",
    spoil: () => rmSync(madeBy("talos-fetch")),
    run: ["talos-fetch", "netboot-layer"],
  },
  {
    what: "the base's source truncated",
    spoil: () => replaced(madeBy("base-fetch"), (copy) => truncateSync(copy, 1 << 20)),
    run: ["base-fetch", "base-packer"],
  },
  {
    what: "the image altered",
    spoil: () => replaced(madeBy("appliance-assembly"), overwriteFirstByte),
    run: ["appliance-assembly"],
  },
  { what: "the base deleted", spoil: () => rmSync(madeBy("base-packer")), run: ["base-packer"], packer: 1 },
  {
    what: "the netboot layer altered",
    spoil: () => replaced(madeBy("netboot-layer"), overwriteFirstByte),
    run: ["netboot-layer"],
  },
  {
    what: "the base truncated",
    spoil: () => replaced(madeBy("base-packer"), (copy) => truncateSync(copy, 1 << 20)),
    run: ["base-packer"],
    packer: 1,
  },
  {
    what: "the whole cache of layers deleted",
    spoil() {
      for (const folder of ["base", "netboot"])
        rmSync(checkout.path("artifacts/cache", folder), { recursive: true });
    },
    run: ["netboot-layer", "base-packer"],
    packer: 1,
  },
  {
    what: "a byte of the base altered",
    spoil: () => replaced(madeBy("base-packer"), overwriteFirstByte),
    run: ["base-packer"],
    packer: 1,
  },
  {
    what: "the base copied back from elsewhere, the same bytes",
    spoil: () => replaced(madeBy("base-packer"), () => undefined),
    run: ["base-packer"],
  },
].map((loss): Loss => ({
  ...loss,
  // A preview does not know yet that what is made again is the same as before.
  previewed: each([...loss.run, "appliance-assembly"], "update"),
}));

test.each(inTurn(LOSSES))(
  "%s is noticed by preview and repaired by up; without a new base the image is the same",
  async (_what, { spoil, run, previewed, packer: builds = 0 }, needsSecondUp) => {
    const image = imageSum();
    spoil();
    expect(await checkout.preview("lab")).toEqual(previewed);
    packer.forget();
    expect((await stepsRunBy(up)).sort()).toEqual([...run].sort());
    expect(packer.runs()).toBe(builds);
    if (needsSecondUp) await up("--expect-no-changes");
    // Another base may be the same by its bytes too: what it is shrunk with holds no time.
    if (builds === 0) expect(imageSum()).toBe(image);
  },
);

test("preview says which parts are reused, which run and why, and how long they took here", async () => {
  checkout.set("lab", { minipcMac: "52:54:00:12:34:99" });
  const { stdout } = await checkout.pulumi("preview", "--stack", "lab");
  expect(stdout).toMatch(/config-check +runs +\d\S* s +minipcMac: 52:54:00:ab:cd:f0 → 52:54:00:12:34:99/);
  expect(stdout).toMatch(/services-check +runs .*files\/\S+: .*52:54:00:ab:cd:f0.* → .*52:54:00:12:34:99/);
  expect(stdout).toMatch(/base-packer +reused/);
  expect(stdout).toMatch(/appliance-assembly +follows +\d\S* s/);
  expect(stdout).toMatch(/About \d+\S* s if all of these run/);
  expect(stdout).toMatch(/The kernel line is the ISO's .*with .*talos\.config=\S+ .*nosmt/);
  await up();
  const told = async () => (await checkout.pulumi("preview", "--stack", "lab")).stdout;
  expect(await told()).toContain("Every part is reused: ");
  const runs = checkout.path("artifacts/cache/runs");
  renameSync(runs, `${runs}-away`);
  expect(await told()).toContain("Every part is reused: ");
  renameSync(`${runs}-away`, runs);
});

test("an update plan holds: for a change, for a file that is gone, and for both", async () => {
  const planned = async () => {
    const plan = checkout.path("artifacts/plan.json");
    const previewed = await checkout.pulumi("preview", "--stack", "lab", "--save-plan", plan);
    expect({ exitCode: previewed.exitCode, said: previewed.stderr }).toMatchObject({ exitCode: 0 });
    await up("--plan", plan);
    await up("--expect-no-changes");
    expect(await checkout.output("lab", "imageSha256")).toBe(imageSum());
  };
  checkout.set("lab", { minipcMac: "52:54:00:12:34:98" });
  await planned();
  checkout.set("lab", { minipcMac: "52:54:00:12:34:99" });
  rmSync(madeBy("netboot-layer"));
  rmSync(checkout.path(IMAGE));
  await planned();
});

test("preview says of a stack that was destroyed what is made again, and what is there still", async () => {
  expect(await checkout.pulumi("destroy", "--stack", "lab", "--yes", "--skip-preview")).toMatchObject({
    exitCode: 0,
  });
  const { stdout } = await checkout.pulumi("preview", "--stack", "lab");
  for (const checked of ["services-check", "config-check"])
    expect(stdout).toMatch(new RegExp(`${checked} +runs `));
  for (const there of ["talos-fetch", "base-fetch"]) expect(stdout).toMatch(new RegExp(`${there} +reused`));
});

test("a copied checkout destroys its own image, a moved one its own, and a renamed stack keeps its", async () => {
  await up();
  const { given } = readStackFile(checkout.top, "lab");
  const copy = checkout.at(`${checkout.top} copied`);
  const moved = checkout.at(`${checkout.top} moved`);
  const destroy = (where: Checkout, stack: string) =>
    where.pulumi("destroy", "--stack", stack, "--yes", "--skip-preview");
  await tool("cp", ["-al", checkout.top, copy.top]);
  const gone = await destroy(copy, "lab");
  expect(gone.exitCode).toBe(0);
  expect([existsSync(copy.path(IMAGE)), existsSync(checkout.path(IMAGE))]).toEqual([false, true]);
  copy.remove();
  renameSync(checkout.top, moved.top);
  try {
    await upEndsWell(moved, "lab", "--expect-no-changes");
    expect((await moved.pulumi("stack", "rename", "nuc7", "--stack", "lab")).exitCode).toBe(0);
    await upEndsWell(moved, "nuc7");
    await upEndsWell(moved, "nuc7", "--expect-no-changes");
    const removed = await moved.pulumi("stack", "rm", "nuc7", "--force", "--yes");
    expect(removed.all).toContain(`Of the stack nuc7 there is still ${IMAGE}`);
    expect(removed.exitCode).toBe(0);
    await moved.stack("nuc8", given);
    await upEndsWell(moved, "nuc8");
    expect((await destroy(moved, "nuc8")).exitCode).toBe(0);
    expect(existsSync(moved.path(IMAGE))).toBe(false);
  } finally {
    renameSync(moved.top, checkout.top);
  }
});
