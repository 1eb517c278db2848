import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import execa from "execa";
import { stringify } from "yaml";
import { sharedByStacks, sharedImage, stackFiles, startersOf } from "../../stack-files";

const folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(stack: string, given: Record<string, string>): void {
  const config = Object.fromEntries(
    Object.entries(given).map(([key, value]) => [`bootstrap-pxe:${key}`, value]),
  );
  writeFileSync(join(folder, `Pulumi.${stack}.yaml`), stringify({ config }));
}

beforeAll(() => {
  write("demo", { minipcMac: "52:54:00:00:00:01" });
  write("example", { minipcMac: "00:11:22:33:44:55" });
  write("nuc1", { minipcMac: "52:54:00:00:00:01", artifactName: "nuc1" });
  write("nuc2", { minipcMac: "52-54-00-00-00-02", artifactName: "nuc2" });
  write("nuc3", { minipcMac: "52:54:00:00:00:03", minipcIp: "10.10.10.101", artifactName: "nuc3" });
  write("retry", { minipcMac: "525400000003".replace(/..(?!$)/g, "$&:"), minipcIp: "10.10.10.101" });
  write("away", { minipcMac: "52:54:00:00:00:05", applianceCidr: "10.10.10.2/16" });
  writeFileSync(join(folder, "Pulumi.broken.yaml"), "config: [");
  writeFileSync(join(folder, "Pulumi.empty.yaml"), "");
});

test("stacks with one MAC, or with one lease on one link, cause a warning; the demo and the example do not", () => {
  expect(sharedByStacks(stackFiles(folder))).toEqual([
    expect.stringContaining("The stacks nuc3 and retry have the same minipcMac 52:54:00:00:00:03"),
    expect.stringContaining("The stacks nuc1 and nuc2 have the same minipcIp 10.10.10.100 on 10.10.10.0/24"),
  ]);
});

test("a stack gets only the warnings that concern it", () => {
  expect(sharedByStacks(stackFiles(folder), "nuc2")).toEqual([
    expect.stringContaining("The stacks nuc1 and nuc2"),
  ]);
  expect(sharedByStacks(stackFiles(folder), "away")).toEqual([]);
});

test("two stacks that would make the same image are found, whatever else differs", () => {
  const files = stackFiles(folder);
  expect(sharedImage(files.filter(({ stack }) => /^nuc/.test(stack)))).toBeUndefined();
  expect(sharedImage(files.filter(({ stack }) => ["away", "nuc1", "retry"].includes(stack)))).toEqual({
    image: "artifacts/bootstrap//bootstrap-pxe.raw",
    stacks: ["away", "retry"],
  });
});

test("a cluster may have been started by another control plane that does not join, and whose stack still exists", () => {
  const checked = (stack: string, record: object) => {
    const runs = join(folder, "artifacts/cache/runs", stack);
    mkdirSync(dirname(runs), { recursive: true });
    const known = { cluster: "home", machineType: "controlplane", joins: false, ...record };
    writeFileSync(`${runs}.cluster.json`, JSON.stringify(known));
  };
  for (const stack of ["nuc1", "nuc2", "gone", "demo"]) checked(stack, {});
  checked("nuc3", { joins: true });
  checked("retry", { machineType: "worker" });
  checked("away", { cluster: "elsewhere" });
  expect(startersOf("home", "nuc1", folder)).toEqual(["nuc2"]);
  expect(startersOf("elsewhere", "nuc1", folder)).toEqual(["away"]);
  expect(startersOf("elsewhere", "away", folder)).toEqual([]);
  // Parts of configs name no cluster.
  for (const stack of ["nuc1", "nuc2"]) checked(stack, { cluster: "", machineType: "" });
  expect(startersOf("", "nuc1", folder)).toEqual([]);
});

test("the stack files that this project commits have no salt of one checkout", () => {
  for (const stack of ["demo", "lab"]) {
    const { stdout } = execa.sync("git", ["show", `HEAD:Pulumi.${stack}.yaml`], {
      cwd: join(__dirname, "../.."),
    });
    expect(stdout).toMatch(/^config:/m);
    expect(stdout).not.toContain("encryptionsalt");
  }
});
