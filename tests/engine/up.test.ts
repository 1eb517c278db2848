import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { stripVTControlCharacters } from "node:util";
import execa from "execa";
import { PLAIN_SCHEMATIC } from "../../stack/image-factory";
import { factoryIsoOf } from "../iso-parts";
import { sha256Of } from "../tools";
import type { Checkout } from "../checkout";
import { SmallLab } from "./small-lab";

let checkout: Checkout;
const image = () => checkout.path("artifacts/bootstrap/demo/bootstrap-pxe.raw");
const sha256OfFile = (path: string) => sha256Of(readFileSync(path));
const TEMPLATE_ONLY = { "services-check": "update", "appliance-assembly": "update" };
/** The machine config is compared with the MAC and the lease, so these are checked again. */
const SITE_ONLY = { ...TEMPLATE_ONLY, "config-check": "update" };

async function unchanged(): Promise<void> {
  const { exitCode, all } = await checkout.up("lab", "--expect-no-changes");
  expect({ exitCode, said: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, said: "" });
}

async function up(): Promise<string> {
  const { exitCode, all } = await checkout.up("lab");
  expect({ exitCode, said: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, said: "" });
  return all ?? "";
}

// One state, one test after the other: each starts from a finished `up`.
beforeAll(async () => {
  ({ checkout } = await SmallLab.bare());
  await checkout.stack("lab");
});
afterAll(() => checkout?.remove());

test("preview of a new stack makes everything, and touches nothing", async () => {
  const compiled = checkout.path("artifacts/ts-node");
  checkout.use({ TS_NODE_CACHE_DIRECTORY: compiled });
  const plan = await checkout.preview("lab");
  expect(Object.values(plan).every((op) => op === "create")).toBe(true);
  expect(Object.keys(plan)).toEqual(
    expect.arrayContaining([
      "talos-fetch",
      "netboot-layer",
      "base-packer",
      "config-check",
      "appliance-assembly",
    ]),
  );
  expect(existsSync(image())).toBe(false);
  // What was bundled is not compiled once more.
  const again = existsSync(compiled) ? readdirSync(compiled, { recursive: true }).map(String) : [];
  expect(again.filter((name) => name.endsWith(".js"))).toEqual([]);
});

test("up makes the image that its outputs name; a second up changes nothing", async () => {
  await up();
  expect(await checkout.output("lab", "imagePath")).toBe("artifacts/bootstrap/demo/bootstrap-pxe.raw");
  expect(await checkout.output("lab", "imageSha256")).toBe(sha256OfFile(image()));
  expect(await checkout.output("lab", "rehearsal")).toBe("not rehearsed");
  await unchanged();
});

test("on a terminal the outputs come after up, the next steps last, each line whole", async () => {
  const up = "node commands/pulumi.mjs up --stack lab --yes --skip-preview";
  const { stdout } = await execa("script", ["-qec", `stty cols 80 rows 40; ${up}`, "/dev/null"], {
    cwd: checkout.top,
    env: checkout.env,
    input: "",
  });
  const steps = JSON.parse(await checkout.output("lab", "nextSteps")) as string[];
  const ending = ["Next steps:", ...steps.map((step) => `  ${step}`)].join("\n");
  const shown = stripVTControlCharacters(stdout).replaceAll("\r", "").trimEnd();
  expect(shown.slice(-ending.length)).toBe(ending);
  expect(shown.match(/^Outputs:$/gm)).toHaveLength(1);
  // Pulumi's warning of each stand-in.
  expect(shown).not.toContain("from $PATH");
});

test("a changed MAC and lease change the site alone, and going back gives the same bytes", async () => {
  const before = sha256OfFile(image());
  checkout.set("lab", { minipcMac: "52:54:00:ab:cd:ef" });
  expect(await checkout.preview("lab")).toEqual(SITE_ONLY);
  await up();
  expect(sha256OfFile(image())).not.toBe(before);
  await unchanged();
  checkout.set("lab", { minipcMac: "52-54-00-12-34-56" });
  await up();
  expect(sha256OfFile(image())).toBe(before);
});

test("a changed template is shown as a text diff, and changes the site alone", async () => {
  const before = readFileSync(checkout.path("files/dnsmasq.conf"));
  appendFileSync(checkout.path("files/dnsmasq.conf"), "dhcp-option=option:domain-name,lab.example\n");
  const { stdout } = await checkout.pulumi("preview", "--stack", "lab", "--diff");
  expect(stdout).toMatch(/\+ .*dhcp-option=option:domain-name,lab\.example/);
  expect(await checkout.preview("lab")).toEqual(TEMPLATE_ONLY);
  await up();
  writeFileSync(checkout.path("files/dnsmasq.conf"), before);
  await up();
});

test("a template that its program refuses stops up before anything is built", async () => {
  const template = checkout.path("files/dnsmasq.conf");
  const [text, before] = [readFileSync(template, "utf8"), sha256OfFile(image())];
  writeFileSync(template, `${text}dhcp-rnage=1\n`);
  const { exitCode, all } = await checkout.up("lab");
  expect(exitCode).not.toBe(0);
  expect(all).toContain("files/dnsmasq.conf: dnsmasq says: ");
  expect(sha256OfFile(image())).toBe(before);
  writeFileSync(template, text);
  await unchanged();
});

test.each([
  ["deleted", (path: string) => rmSync(path)],
  ["truncated", (path: string) => truncateSync(path, 1 << 20)],
  ["altered", (path: string) => writeFileSync(path, "x", { flag: "r+" })],
])("an image that was %s is noticed by preview and made again, the same", async (_how, spoil) => {
  const before = sha256OfFile(image());
  spoil(image());
  expect(await checkout.preview("lab")).toEqual({ "appliance-assembly": "update" });
  await up();
  expect(sha256OfFile(image())).toBe(before);
  await unchanged();
});

test("a netboot layer that is gone is made again, and the image stays as it is", async () => {
  const before = sha256OfFile(image());
  rmSync(checkout.path("artifacts/cache/netboot"), { recursive: true });
  expect(await checkout.preview("lab")).toMatchObject({ "netboot-layer": "update" });
  await up();
  expect(sha256OfFile(image())).toBe(before);
  await unchanged();
});

test("a local ISO that was replaced is fetched again", async () => {
  const iso = checkout.path("artifacts/demo/metal-amd64.iso");
  copyFileSync(iso, `${iso}.new`);
  renameSync(`${iso}.new`, iso);
  expect(await checkout.preview("lab")).toMatchObject({ "talos-fetch": "update" });
  await up();
  await unchanged();
});

test("a second stack cannot take the first one's path", async () => {
  await checkout.stack("nuc2", { minipcMac: "52:54:00:00:00:99" });
  const before = sha256OfFile(image());
  const { exitCode, all } = await checkout.up("nuc2");
  expect(exitCode).not.toBe(0);
  expect(all).toContain("it belongs to the stack lab");
  expect(sha256OfFile(image())).toBe(before);
  checkout.set("nuc2", { artifactName: "nuc2" });
  expect((await checkout.up("nuc2")).exitCode).toBe(0);
  expect(existsSync(checkout.path("artifacts/bootstrap/demo/nuc2.raw"))).toBe(true);
});

test("two stacks of one Talos version may have ISOs of different sources", async () => {
  const [plain, other] = ["metal-amd64.iso", "factory.iso"].map((name) => `artifacts/demo/${name}`) as [
    string,
    string,
  ];
  await factoryIsoOf(checkout.path(plain), PLAIN_SCHEMATIC, checkout.path(other));
  checkout.set("nuc2", { isoUrl: `file://${other}` });
  expect(await checkout.preview("nuc2")).toMatchObject({
    "talos-fetch": "update",
    "netboot-layer": "update",
  });
  expect((await checkout.up("nuc2")).exitCode).toBe(0);
  await unchanged();
});

test("an image that fails its rehearsal ends up with what was seen; without a rehearsal, up goes on", async () => {
  checkout.set("lab", { rehearse: "true" });
  const { exitCode, all = "" } = await checkout.up("lab");
  expect(exitCode).not.toBe(0);
  expect(all).toMatch(/at "the appliance starts from its disk": its firmware found nothing to boot: /);
  const failed = /What was seen: (artifacts\/rehearsal\/\S+\/timeline\.html)/.exec(all)?.[1];
  expect(readFileSync(checkout.path(failed ?? ""), "utf8")).toContain("FAILED");
  // It does not count as rehearsed.
  expect(await checkout.preview("lab")).toMatchObject({ "rehearsal-boot": "create" });
  checkout.set("lab", { rehearse: "false" });
  await up();
  await unchanged();
});

test("destroy removes the image and keeps the caches; up makes it again", async () => {
  const { exitCode } = await checkout.pulumi("destroy", "--stack", "lab", "--yes", "--skip-preview");
  expect(exitCode).toBe(0);
  expect(existsSync(image())).toBe(false);
  expect(existsSync(checkout.path("artifacts/bootstrap/demo/nuc2.raw"))).toBe(true);
  expect(readdirSync(checkout.path("artifacts/cache/base")).length).toBeGreaterThan(0);
  const said = await up();
  expect(said).not.toContain("Packer, from");
  expect(existsSync(image())).toBe(true);
  await unchanged();
});

test("no secret is in the state or was printed", async () => {
  const password = await checkout.pulumi(
    "stack",
    "output",
    "consolePassword",
    "--show-secrets",
    "--stack",
    "lab",
  );
  const { stdout: state } = await checkout.pulumi("stack", "export", "--stack", "lab");
  expect(password.stdout.trim()).toHaveLength(20);
  expect(state).not.toContain(password.stdout.trim());
  expect(state).not.toContain("$2a$");
  expect(state).not.toMatch(/BEGIN|AGE-SECRET-KEY/);
});
