import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publish } from "../../steps/lib/files";
import { inToolEnvironment, NO_PROCESS, tool } from "../tools";
import { runStep, testFolder } from "./run-step";

const folder = testFolder();
let number = 0;

/** The least that passes for a bzImage: boot flag, HdrS, a pointer to the version string (Linux, boot.rst). */
function kernel(version = "6.12.57-talos"): Buffer {
  const image = Buffer.alloc(8192, 0x90);
  image.writeUInt16LE(0xaa55, 0x1fe);
  image.write("HdrS", 0x202, "latin1");
  image.writeUInt16LE(0x1000 - 0x200, 0x20e);
  image.write(`${version} (talos@build) #1\0`, 0x1000, "latin1");
  return image;
}

async function compressed(program: "zstd" | "xz" | "gzip", content: Buffer): Promise<Buffer> {
  const { stdout } = await inToolEnvironment(program, ["-c"], { input: content, encoding: null as never });
  return stdout as unknown as Buffer;
}

/** A step's input for an ISO with these files, fetched and stamped. */
async function request(files: Record<string, Buffer>) {
  const place = join(folder, `case-${++number}`);
  const tree = join(place, "tree");
  mkdirSync(tree, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(tree, name, ".."), { recursive: true });
    writeFileSync(join(tree, name), content);
  }
  const made = join(place, "made.iso");
  await tool("xorriso", ["-as", "mkisofs", "-quiet", "-R", "-V", "TALOS_V1_11_6", "-o", made, tree]);
  const isoPath = join(place, "metal-amd64.iso");
  const { sha256 } = await publish(made, isoPath, "fetched");
  const path = join(place, "out/netboot.squashfs");
  return { key: "k", path, isoPath, isoSha256: sha256, talosVersion: "v1.11.6" };
}

async function refused(files: Record<string, Buffer>, ...words: string[]) {
  const input = await request(files);
  const { manifest, said } = await runStep("netboot", input);
  expect(manifest).toBeUndefined();
  for (const word of words) expect(said).toContain(word);
}

const initramfs = () => compressed("zstd", Buffer.alloc(100_000, "init"));

test.each(["zstd", "xz", "gzip"] as const)("kernel and an initramfs of %s, from /boot", async (format) => {
  const [vmlinuz, initrd] = [kernel(), await compressed(format, Buffer.alloc(100_000, "init"))];
  const input = await request({ "boot/vmlinuz": vmlinuz, "boot/initramfs.xz": initrd });
  const { manifest } = await runStep("netboot", input);
  expect(manifest).toMatchObject({ kernelVersion: "6.12.57-talos", initramfsFormat: format });

  const out = join(input.path, "../files");
  await tool("unsquashfs", ["-quiet", "-no-progress", "-dest", out, input.path]);
  expect(readFileSync(join(out, "talos/v1.11.6/vmlinuz")).equals(vmlinuz)).toBe(true);
  expect(readFileSync(join(out, "talos/v1.11.6/initramfs.xz")).equals(initrd)).toBe(true);
});

test("an ISO that holds a unified kernel image only", async () => {
  const place = join(folder, "uki");
  mkdirSync(place);
  const [stub, uki] = [join(place, "stub.efi"), join(place, "Talos-v1.11.6.efi")];
  const [vmlinuz, initrd] = [join(place, "vmlinuz"), join(place, "initrd")];
  writeFileSync(vmlinuz, kernel());
  writeFileSync(initrd, await initramfs());
  // Any EFI program will do to carry the sections.
  await tool("grub-mkimage", ["-O", "x86_64-efi", "-p", "/boot", "-o", stub]);
  const section = (name: string, file: string, address: string) => [
    ...["--add-section", `${name}=${file}`, "--change-section-vma", `${name}=${address}`],
  ];
  const sections = [...section(".linux", vmlinuz, "0x2000000"), ...section(".initrd", initrd, "0x4000000")];
  await tool("objcopy", [...sections, stub, uki]);
  const input = await request({ "EFI/Linux/Talos-v1.11.6.efi": readFileSync(uki) });
  const { manifest } = await runStep("netboot", input);
  expect(manifest).toMatchObject({ kernelVersion: "6.12.57-talos", initramfsFormat: "zstd" });
});

test("the same ISO gives the same bytes", async () => {
  const input = await request({ "boot/vmlinuz": kernel(), "boot/initramfs.xz": await initramfs() });
  const first = await runStep("netboot", input);
  const second = await runStep("netboot", { ...input, path: join(input.path, "../again.squashfs") });
  expect(second.manifest?.sha256).toBe(first.manifest?.sha256);
});

test("what a run left that was killed after its layer was in place goes with the next one", async () => {
  const input = await request({ "boot/vmlinuz": kernel(), "boot/initramfs.xz": await initramfs() });
  const first = await runStep("netboot", input);
  const work = join(input.path, "..", `.netboot.squashfs.partial-${NO_PROCESS}`);
  mkdirSync(work);
  writeFileSync(join(work, "vmlinuz"), kernel());
  expect(await runStep("netboot", input)).toMatchObject({ manifest: first.manifest });
  expect(existsSync(work)).toBe(false);
});

test("an ISO of something else is refused, and says what is on it", async () => {
  await refused(
    { "casper/vmlinuz": kernel(), "install/info": Buffer.from("x") },
    "/casper, /install",
    "isoUrl",
  );
});

test("a kernel for another machine is refused", async () => {
  const arm64 = Buffer.alloc(8192);
  arm64.write("ARMd", 0x38, "latin1");
  await refused({ "boot/vmlinuz": arm64, "boot/initramfs.xz": await initramfs() }, "an arm64 kernel");
});

test("a kernel that is none is refused", async () => {
  const none = Buffer.alloc(8192, "#");
  await refused(
    { "boot/vmlinuz": none, "boot/initramfs.xz": await initramfs() },
    "no boot flag",
    "no x86 bzImage",
  );
});

test("an initramfs of an unknown kind is refused", async () => {
  await refused(
    { "boot/vmlinuz": kernel(), "boot/initramfs.xz": Buffer.alloc(5000, "?") },
    "neither with zstd",
  );
});

test("an initramfs that is cut short is refused", async () => {
  const cut = (await initramfs()).subarray(0, -8);
  await refused({ "boot/vmlinuz": kernel(), "boot/initramfs.xz": cut }, "damaged or cut short");
});

test("another ISO than the one that was fetched is refused", async () => {
  const input = await request({ "boot/vmlinuz": kernel(), "boot/initramfs.xz": await initramfs() });
  const { manifest, said } = await runStep("netboot", { ...input, isoSha256: "0".repeat(64) });
  expect(manifest).toBeUndefined();
  expect(said).toContain("not the ISO that was fetched");
});
