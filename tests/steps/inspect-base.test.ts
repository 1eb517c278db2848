import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { inspectBase } from "../../steps/disk/inspect-base";
import { tool } from "../tools";
import { makeDisk, SEALED_ROOT, stepContext } from "./disk";
import { testFolder } from "./run-step";

const folder = testFolder();
let number = 0;

function place(): string {
  const made = join(folder, `case-${++number}`);
  mkdirSync(made);
  return made;
}

async function faultsOf(leftBehind: Record<string, string>): Promise<string[]> {
  const here = place();
  return inspectBase(stepContext(here), await makeDisk(here, { ...SEALED_ROOT, ...leftBehind }));
}

test("a sealed base passes", async () => {
  expect(await faultsOf({})).toEqual([]);
});

test.each<[string, Record<string, string>, RegExp]>([
  [
    "the build user",
    { "etc/passwd": `${SEALED_ROOT["etc/passwd"]}packer:x:1000:1000::/home/packer:/bin/sh\n` },
    /build user packer/,
  ],
  ["its home", { "home/packer/.ssh/authorized_keys": "ssh-ed25519 AAAA" }, /build user's home/],
  ["its sudo rule", { "etc/sudoers.d/90-cloud-init-users": "packer ALL" }, /sudo rule/],
  ["host keys", { "etc/ssh/ssh_host_ed25519_key": "key" }, /host keys/],
  ["root's ssh keys", { "root/.ssh/authorized_keys": "ssh-ed25519 AAAA" }, /ssh keys of the build/],
  ["the build's network", { "etc/netplan/50-cloud-init.yaml": "network: {}" }, /the build's network/],
  ["cloud-init's state", { "var/lib/cloud/instance/user-data.txt": "key" }, /cloud-init's state/],
  ["a machine-id", { "etc/machine-id": "0123456789abcdef0123456789abcdef\n" }, /machine-id/],
  ["a password of root", { "etc/shadow": "root:$6$salt$hash:20000:0:99999:7:::\n" }, /password of root/],
  ["logs", { "var/log/cloud-init.log": "line" }, /logs of the build/],
])("left behind by the build: %s", async (_what, leftBehind, fault) => {
  const faults = await faultsOf(leftBehind);
  expect(faults).toEqual(expect.arrayContaining([expect.stringMatching(fault)]));
});

test("a root file system that is not clean", async () => {
  const here = place();
  const disk = await makeDisk(here, SEALED_ROOT);
  await tool("debugfs", ["-w", "-R", "clri /etc/hostname", `${disk}?offset=${6 << 20}`]);
  expect(await inspectBase(stepContext(here), disk)).toEqual([expect.stringContaining("not clean")]);
});

test("no loader at the removable path", async () => {
  const here = place();
  const disk = await makeDisk(here, SEALED_ROOT);
  await tool("mdel", ["-i", `${disk}@@1M`, "::EFI/BOOT/BOOTX64.EFI"]);
  expect(await inspectBase(stepContext(here), disk)).toEqual([expect.stringContaining("BOOTX64.EFI")]);
});
