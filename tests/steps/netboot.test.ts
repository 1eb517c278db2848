import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { intact, publish } from "../../steps/store/files";
import { PLAIN_SCHEMATIC } from "../../stack/image-factory";
import {
  compressed,
  cpio,
  efiProgram,
  extensions,
  initramfs,
  isoOf,
  kernel,
  microcode,
  osRelease,
} from "../iso-parts";
import { NO_PROCESS, sha256Of, tool } from "../tools";
import { runStep, testFolder } from "./run-step";

const folder = testFolder();
let number = 0;

/** A step's input for an ISO with these files, fetched and stamped. */
async function request(files: Record<string, Buffer>, volumeId?: string) {
  const place = join(folder, `case-${++number}`);
  const isoPath = join(place, "metal-amd64.iso");
  const { sha256 } = await publish(await isoOf(place, files, volumeId), isoPath, "fetched");
  const path = join(place, "out/netboot.squashfs");
  return { key: "k", path, isoPath, isoSha256: sha256, talosVersion: "v1.11.6" };
}

/** The files of the layer that a step made. */
async function served(path: string): Promise<{ vmlinuz: Buffer; initramfs: Buffer }> {
  const out = join(path, "../files");
  await tool("unsquashfs", ["-quiet", "-no-progress", "-dest", out, path]);
  const file = (name: string) => readFileSync(join(out, "talos/v1.11.6", name));
  return { vmlinuz: file("vmlinuz"), initramfs: file("initramfs.xz") };
}

async function refused(files: Record<string, Buffer>, ...words: string[]) {
  const input = await request(files);
  const { manifest, said } = await runStep("netboot", input);
  expect(manifest).toBeUndefined();
  for (const word of words) expect(said).toContain(word);
}

/** Sections of a unified kernel image as Talos 1.10 and later order them, a second profile among them. */
const uki = (
  initrd: Buffer,
  version = "v1.11.6",
  kernelImage = kernel(),
): Parameters<typeof efiProgram>[0] => [
  [".sbat", "sbat,1,SBAT Version,sbat,1\n"],
  [".osrel", osRelease(version)],
  [".cmdline", "talos.platform=metal"],
  [".linux", kernelImage],
  [".initrd", initrd],
  [".profile", "ID=main"],
  [".profile", "ID=reset-maint"],
  [".cmdline", "talos.platform=metal talos.experimental.wipe=system"],
];

test("kernel and initramfs from /boot, whether a unified kernel image is beside them or not", async () => {
  const [vmlinuz, initrd] = [kernel(), await initramfs()];
  const files = { "boot/vmlinuz": vmlinuz, "boot/initramfs.xz": initrd };
  const other = efiProgram(uki(await compressed("xz", Buffer.from("other")), "v1.11.6", kernel("1.1.1")));
  for (const beside of [undefined, other]) {
    const input = await request({ ...files, ...(beside && { "EFI/Linux/Talos-v1.11.6.efi": beside }) });
    const { manifest } = await runStep("netboot", input);
    expect(manifest).toMatchObject({
      kernelVersion: "6.12.57-talos",
      initramfsFormat: "zstd",
      files: { vmlinuz: sha256Of(vmlinuz), "initramfs.xz": sha256Of(initrd) },
    });
    expect(await served(input.path)).toEqual({ vmlinuz, initramfs: initrd });
  }
});

/** GRUB's menu on an ISO of Talos. */
const menu = (line: string) =>
  Buffer.from(`menuentry "Talos ISO" {\n\tlinux /boot/vmlinuz ${line}\n\tinitrd /boot/initramfs.xz\n}\n`);

test("the kernel line of a unified kernel image's first profile, else that of GRUB's first entry, as they are", async () => {
  const initrd = await initramfs();
  const files = {
    "boot/vmlinuz": kernel(),
    "boot/initramfs.xz": initrd,
    "boot/grub/grub.cfg": menu("a b=1"),
  };
  const told = async (given: typeof files & { "EFI/Linux/Talos-v1.11.6.efi"?: Buffer }) =>
    (await runStep("netboot", await request(given))).manifest;
  expect(await told(files)).toMatchObject({ kernelArguments: ["a", "b=1"], warnings: [] });
  expect(await told({ ...files, "EFI/Linux/Talos-v1.11.6.efi": efiProgram(uki(initrd)) })).toMatchObject({
    kernelArguments: ["talos.platform=metal"],
  });
  const input = await request({ ...files, "boot/grub/grub.cfg": Buffer.from("# nothing") });
  const warnings = [expect.stringContaining("names no kernel arguments") as string];
  // The second time, the layer is there already.
  for (const round of [1, 2])
    expect([round, (await runStep("netboot", input)).manifest]).toMatchObject([
      round,
      { kernelArguments: [], warnings },
    ]);
});

test("Secure Boot: a signed unified kernel image alone, of which the first profile counts", async () => {
  const initrd = await initramfs();
  const sections = [...uki(initrd), [".linux", kernel("1.1.1")] as [string, Buffer]];
  // A signature lies behind all sections (Microsoft's "PE Format", "The Attribute Certificate Table").
  const signed = Buffer.concat([efiProgram(sections), Buffer.alloc(1480, "signature")]);
  const input = await request(
    { "EFI/Linux/Talos-v1.11.6.efi": signed, "EFI/keys/uki-signing-cert.der": Buffer.from("certificate") },
    "TALOS_SB_V1_11_6",
  );
  const { manifest } = await runStep("netboot", input);
  expect(manifest).toMatchObject({ kernelVersion: "6.12.57-talos", initramfsFormat: "zstd" });
  expect(await served(input.path)).toEqual({ vmlinuz: kernel(), initramfs: initrd });
});

test("a unified kernel image that binutils made", async () => {
  const place = join(folder, "uki");
  mkdirSync(place);
  const [stub, image] = [join(place, "stub.efi"), join(place, "Talos-v1.11.6.efi")];
  const [vmlinuz, initrd] = [join(place, "vmlinuz"), join(place, "initrd")];
  writeFileSync(vmlinuz, kernel());
  writeFileSync(initrd, await initramfs());
  // Any EFI program will do to carry the sections.
  await tool("grub-mkimage", ["-O", "x86_64-efi", "-p", "/boot", "-o", stub]);
  const section = (name: string, file: string, address: string) => [
    ...["--add-section", `${name}=${file}`, "--change-section-vma", `${name}=${address}`],
  ];
  const sections = [...section(".linux", vmlinuz, "0x2000000"), ...section(".initrd", initrd, "0x4000000")];
  await tool("objcopy", [...sections, stub, image]);
  const input = await request({ "EFI/Linux/Talos-v1.11.6.efi": readFileSync(image) });
  expect((await runStep("netboot", input)).manifest).toMatchObject({ initramfsFormat: "zstd" });
  expect(await served(input.path)).toEqual({ vmlinuz: kernel(), initramfs: readFileSync(initrd) });
});

test("a factory schematic's: microcode before Talos, extensions behind it", async () => {
  const pad = Buffer.alloc(512 - (microcode().length % 512));
  const behind = await compressed("xz", cpio({ "1.sqsh": Buffer.alloc(1000) }));
  const initrd = Buffer.concat([microcode(), pad, await initramfs(), behind]);
  const input = await request({ "boot/vmlinuz": kernel(), "boot/initramfs.xz": initrd });
  const { manifest } = await runStep("netboot", input);
  expect(manifest).toMatchObject({ initramfsFormat: "cpio + zstd + xz" });
  expect((await served(input.path)).initramfs.equals(initrd)).toBe(true);
});

const SCHEMATIC = "ce4c980550dd2ab1b17bbf2b08801c7eb59418eafe8f279833297925d67c7515";

test("the schematic that an ISO is of is the one that is wanted", async () => {
  const initrd = Buffer.concat([await initramfs(), await compressed("zstd", extensions(SCHEMATIC))]);
  const input = await request({
    "boot/vmlinuz": kernel(),
    "boot/initramfs.xz": initrd,
    "boot/grub/grub.cfg": menu("pti=on"),
  });
  const right = await runStep("netboot", { ...input, schematic: SCHEMATIC });
  expect(right.manifest).toMatchObject({ schematic: SCHEMATIC, warnings: [] });
  // The layer is there already, and what is wanted of it is another thing.
  const wrong = await runStep("netboot", { ...input, schematic: "0".repeat(64) });
  expect(wrong.manifest).toBeUndefined();
  expect(wrong.said).toContain(
    `talosSchematic is ${"0".repeat(64)}, but the ISO is of the schematic ${SCHEMATIC}. Set talosSchematic`,
  );
  expect((await runStep("netboot", input)).manifest).toMatchObject({
    warnings: [
      expect.stringContaining(`the ISO is of the schematic ${SCHEMATIC}, and talosSchematic is not set`),
    ],
  });
});

test("a plain release where a schematic is wanted", async () => {
  const input = await request({
    "boot/vmlinuz": kernel(),
    "boot/initramfs.xz": await initramfs(),
    "boot/grub/grub.cfg": menu("pti=on"),
  });
  const { manifest, said } = await runStep("netboot", { ...input, schematic: SCHEMATIC });
  expect(manifest).toBeUndefined();
  expect(said).toContain(`talosSchematic is ${SCHEMATIC}, but the ISO is of no schematic`);
  const plain = { ...input, schematic: PLAIN_SCHEMATIC };
  expect((await runStep("netboot", plain)).manifest).toMatchObject({ warnings: [] });
});

test("an archive that is damaged inside is named with its place and its tool's words", async () => {
  const archive = await compressed("xz", randomBytes(100_000));
  // What cannot be compressed is stored as it is, so that only its checksum tells.
  archive.fill(0, 50_000, 50_008);
  await refused(
    {
      "boot/vmlinuz": kernel(),
      "boot/initramfs.xz": Buffer.concat([microcode(), archive, await initramfs()]),
    },
    `its archive 2 (xz, from byte ${microcode().length} on, ${archive.length} bytes) is damaged: `,
    "Compressed data is corrupt",
  );
});

test("an ISO of another release is refused", async () => {
  const boot = { "boot/vmlinuz": kernel(), "boot/initramfs.xz": await initramfs() };
  const { manifest, said } = await runStep("netboot", await request(boot, "TALOS_V1_10_3"));
  expect(manifest).toBeUndefined();
  expect(said).toContain("its volume id TALOS_V1_10_3 is of Talos v1.10.3, but talosVersion is v1.11.6");
  const older = efiProgram(uki(await initramfs(), "v1.10.3"));
  const unnamed = await runStep("netboot", await request({ "EFI/Linux/Talos.efi": older }, "MINE"));
  expect(unnamed.said).toContain("its os-release is of Talos v1.10.3, but talosVersion is v1.11.6");
});

test("an ISO that names no release is taken at its word", async () => {
  const input = await request(
    { "boot/vmlinuz": kernel(), "boot/initramfs.xz": await initramfs() },
    "ISOIMAGE",
  );
  expect((await runStep("netboot", input)).manifest).toBeDefined();
});

test("an ISO that ends before its files do", async () => {
  const input = await request({ "boot/vmlinuz": kernel(), "boot/initramfs.xz": await initramfs() });
  truncateSync(input.isoPath, 64 * 1024);
  const { sha256 } = await publish(input.isoPath, input.isoPath, "fetched");
  const { said } = await runStep("netboot", { ...input, isoSha256: sha256 });
  expect(said).toMatch(/it is cut short: its \/boot\/\S+ ends at byte \d+, and it has 65536 bytes/);
});

test("an ISO that ends in its folders, so that xorriso finds no file: in xorriso's words", async () => {
  const input = await request({ "boot/vmlinuz": kernel(), "boot/initramfs.xz": await initramfs() });
  truncateSync(input.isoPath, 40_000);
  const { sha256 } = await publish(input.isoPath, input.isoPath, "fetched");
  const { said } = await runStep("netboot", { ...input, isoSha256: sha256 });
  expect(said).toMatch(/it is cut short or damaged \(xorriso: ISO image size \d+s larger than readable size/);
});

test("a kernel that ends behind its header", async () => {
  await refused(
    { "boot/vmlinuz": kernel().subarray(0, 6000), "boot/initramfs.xz": await initramfs() },
    "checking the kernel of",
    "cut short, 6000 bytes of the 8192 that its header tells of",
  );
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

test("an ISO for arm64 is refused by that name, in each form", async () => {
  const plain = Buffer.alloc(8192);
  plain.write("ARM\x64", 0x38, "latin1");
  const compressedKernel = efiProgram([[".text", "x"]], "arm64");
  const words = "this ISO is for arm64, and the appliance serves a mini-PC of amd64";
  for (const vmlinuz of [plain, compressedKernel])
    await refused({ "boot/vmlinuz": vmlinuz, "boot/initramfs.xz": await initramfs() }, words);
  const image = efiProgram(uki(await initramfs(), "v1.11.6", compressedKernel), "arm64");
  await refused({ "EFI/Linux/Talos-v1.11.6.efi": image }, words);
});

test("a file that is not a kernel is refused", async () => {
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
    "it begins with 3f3f3f3f3f3f3f3f",
  );
});

test("an initramfs that is cut short is refused", async () => {
  const cut = (await initramfs()).subarray(0, -8);
  await refused(
    { "boot/vmlinuz": kernel(), "boot/initramfs.xz": cut },
    "its archive 1 (zstd, from byte 0 on) is cut short",
  );
});

test("another ISO than the one that was fetched is refused", async () => {
  const input = await request({ "boot/vmlinuz": kernel(), "boot/initramfs.xz": await initramfs() });
  const { manifest, said } = await runStep("netboot", { ...input, isoSha256: "0".repeat(64) });
  expect(manifest).toBeUndefined();
  expect(said).toContain("not the ISO that was fetched");
});

test("an ISO that was altered, its time put back, is refused, and counts as missing from then on", async () => {
  const input = await request({ "boot/vmlinuz": kernel(), "boot/initramfs.xz": await initramfs() });
  const timed = `${input.isoPath}.timed`;
  await tool("touch", ["-r", input.isoPath, timed]);
  writeFileSync(input.isoPath, "x", { flag: "r+" });
  await tool("touch", ["-r", timed, input.isoPath]);
  const { manifest, said } = await runStep("netboot", input);
  expect(manifest).toBeUndefined();
  expect(said).toContain(`and it was made with ${input.isoSha256}: something altered it`);
  expect(intact(input.isoPath)).toBeUndefined();
});
