import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Checkout } from "../checkout";

let checkout: Checkout;

beforeAll(() => {
  checkout = new Checkout();
});
afterAll(() => checkout.remove());

/** What a preview or an up says when it fails, without the engine's own lines. */
async function refusal(stack: string, command: "preview" | "up" = "up"): Promise<string> {
  const ran = command === "up" ? checkout.up(stack) : checkout.pulumi("preview", "--stack", stack);
  const { exitCode, all } = await ran;
  expect(exitCode).not.toBe(0);
  expect(all).not.toContain("    at ");
  return all ?? "";
}

test("preview lists every fault of the config at once, without a stack trace", async () => {
  await checkout.stack("faults", { minipcMac: "01:00:5e:00:00:01", minipcIp: "10.10.11.1", compres: "gzip" });
  const file = checkout.path("Pulumi.faults.yaml");
  const text = readFileSync(file, "utf8").replace(/^.*bootstrapVersion:.*$/m, "  bootstrapVersion: 1.10");
  writeFileSync(file, text);
  const said = await refusal("faults", "preview");
  expect(said).toContain("The config of the stack faults has 4 faults:");
  expect(said).toContain('YAML reads 1.10 as this value. Right: bootstrapVersion: "1.10"');
  expect(said).toContain('minipcMac = "01:00:5e:00:00:01": a multicast address');
  expect(said).toContain('minipcIp = "10.10.11.1": outside the appliance\'s subnet');
  expect(said).toContain('compres = "gzip": no such key; did you mean compress');
});

test("a machine config that is missing, already in a preview: what makes it", async () => {
  await checkout.stack("nosecret", { machineConfig: "config/controlplane.yaml" });
  const said = await refusal("nosecret", "preview");
  expect(said).toContain("reading config/controlplane.yaml: no such file");
  expect(said).toContain("npm run new makes a stack with its machine config");
});

test("an ISO with a wrong checksum is refused, and not kept", async () => {
  rmSync(checkout.path("artifacts/talos"), { recursive: true, force: true });
  await checkout.stack("wrongsum", { isoSha256: "0".repeat(64) });
  expect(await refusal("wrongsum")).toContain(`expected ${"0".repeat(64)}`);
  const kept = readdirSync(checkout.path("artifacts/talos"), { recursive: true }) as string[];
  expect(kept.filter((path) => path.endsWith(".iso"))).toEqual([]);
});

test("an installer of another schematic than the ISO's is refused, before anything is fetched", async () => {
  const schematic = "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515";
  await checkout.stack("schematic", { talosSchematic: schematic, isoUrl: "" });
  const said = await refusal("schematic");
  expect(said).toContain(
    `talosSchematic is ${schematic}, but the installer's image ghcr.io/siderolabs/installer:v1.11.6`,
  );
  expect(said).toContain(`Write factory.talos.dev/metal-installer/${schematic}:v1.11.6`);
  expect(said).not.toContain("fetching https://factory.talos.dev");
});

test("a page of HTML for an ISO is refused", async () => {
  writeFileSync(checkout.path("artifacts/page.iso"), "<html><body>Log in</body></html>");
  await checkout.stack("page", { isoUrl: "file://artifacts/page.iso" });
  expect(await refusal("page")).toContain("a page of HTML");
});

test("a plain `pulumi up` without the tools names them, and what brings them", async () => {
  await checkout.stack("bare");
  const { all } = await checkout.pulumiWithout("sops", "up", "--yes", "--skip-preview", "--stack", "bare");
  expect(all).toContain("missing: sops; run `npm run setup`");
});

test("npm run rehearse says what it cannot boot, and what it can", async () => {
  await checkout.stack("unmade");
  const said = async (...args: string[]) => {
    const { exitCode, stderr } = await checkout.script("commands/rehearse.mjs", args);
    expect(exitCode).toBe(1);
    expect(stderr).not.toContain("    at ");
    return stderr;
  };
  expect(await said()).toContain("--stack is missing");
  expect(await said("--stack", "nobody")).toContain("no stack named 'nobody' found");
  expect(await said("--stack", "unmade", "--disk", "floppy")).toContain(
    "--disk floppy is not one of virtio, virtio-scsi, sata, ide",
  );
  expect(await said("--stack", "unmade")).toContain(
    "there is no such image. pulumi up --stack unmade makes it",
  );
});
