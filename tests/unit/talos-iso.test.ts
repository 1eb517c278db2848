import { mainSection, peImage } from "../../steps/talos/pe-image";
import { versionFault } from "../../steps/talos/iso-version";
import { filesIn, formOf } from "../../steps/talos/talos-iso";
import { efiProgram, osRelease } from "../iso-parts";

test.each([
  ["1.9", "grub", ["/boot/grub/grub.cfg", "/boot/initramfs.xz", "/boot/vmlinuz"]],
  ["1.10 and later", "hybrid", ["/EFI/Linux/Talos-v1.11.6.efi", "/boot/initramfs.xz", "/boot/vmlinuz"]],
  ["Secure Boot", "uki", ["/EFI/BOOT/BOOTX64.EFI", "/EFI/Linux/Talos-v1.11.6.efi", "/EFI/keys/cert.der"]],
  ["a file system without case", "uki", ["/efi/linux/TALOS.EFI"]],
  ["half of GRUB's files", "uki", ["/boot/vmlinuz", "/EFI/Linux/Talos-v1.11.6.efi"]],
  ["no Talos", undefined, ["/casper/vmlinuz", "/EFI/BOOT/BOOTX64.EFI"]],
])("the form of an ISO: %s", (_what, form, paths) => {
  expect(formOf(paths)?.form).toBe(form);
});

test("xorriso's report: sectors become bytes, and its quotes go", () => {
  const report = `Report layout: xt , Startlba ,   Blocks , Filesize , ISO image path
File data lba:  0 ,       33 ,        1 ,       38 , '/boot/grub/grub.cfg'
File data lba:  0 ,       34 ,     3848 ,  7879762 , '/it'"'"'s here'
`;
  expect([...filesIn(report, "x.iso")]).toEqual([
    ["/boot/grub/grub.cfg", { file: "x.iso", start: 33 * 2048, size: 38 }],
    ["/it's here", { file: "x.iso", start: 34 * 2048, size: 7879762 }],
  ]);
});

describe("the sections of a unified kernel image", () => {
  const uki = efiProgram([
    [".sbat", "sbat,1"],
    [".cmdline", "talos.platform=metal"],
    [".linux", "kernel"],
    [".profile", "ID=main"],
    [".pcrsig", "{1}"],
    [".profile", "ID=reset-maint"],
    [".cmdline", "talos.platform=metal talos.experimental.wipe=system"],
    [".pcrsig", "{2}"],
  ]);
  const pe = peImage(uki);
  const text = (name: string, image = uki, sections = pe?.sections ?? []) => {
    const found = mainSection(sections, name);
    return found && image.toString("latin1", found.start, found.start + found.size);
  };

  test("the first profile has what is common, and its own", () => {
    expect(pe?.machine).toBe("amd64");
    expect(text(".cmdline")).toBe("talos.platform=metal");
    expect(text(".linux")).toBe("kernel");
    expect(text(".pcrsig")).toBe("{1}");
    expect(text(".initrd")).toBeUndefined();
  });

  test("the first profile's own section counts before the common one", () => {
    const image = efiProgram([
      [".cmdline", "common"],
      [".profile", "ID=main"],
      [".cmdline", "its own"],
      [".profile", "ID=other"],
      [".cmdline", "another"],
    ]);
    expect(text(".cmdline", image, peImage(image)?.sections)).toBe("its own");
  });

  test("a file that is not an EFI program, or that is cut within its headers, has no sections", () => {
    expect(peImage(Buffer.alloc(4096))).toBeUndefined();
    expect(peImage(Buffer.from("MZ"))).toBeUndefined();
    expect(peImage(uki.subarray(0, 0x100))).toBeUndefined();
    expect(peImage(efiProgram([], "arm64"))?.machine).toBe("arm64");
  });
});

describe("the release that an ISO names", () => {
  const fault = (volumeId: string, talosVersion: string, text?: string) =>
    versionFault({ volumeId, osRelease: text }, talosVersion);

  test.each([
    ["TALOS_V1_11_6", "v1.11.6"],
    ["TALOS_SB_V1_9_5", "v1.9.5"],
    ["TALOS_V1_12_0_ALPHA_1", "v1.12.0-alpha.1"],
    ["TALOS_V1_11_6_3_G0123456789ABCDE", "v1.11.6-3-g0123456789abcdef"],
    ["ISOIMAGE", "v1.11.6"],
    ["TALOS_CUSTOM", "v1.11.6"],
    ["", "v1.11.6"],
  ])("%s is right for %s", (volumeId, talosVersion) => {
    expect(fault(volumeId, talosVersion)).toBeUndefined();
  });

  test.each([
    [
      "TALOS_V1_10_3",
      "v1.11.6",
      "its volume id TALOS_V1_10_3 is of Talos v1.10.3, but talosVersion is v1.11.6",
    ],
    [
      "TALOS_SB_V1_9_5",
      "v1.9.4",
      "its volume id TALOS_SB_V1_9_5 is of Talos v1.9.5, but talosVersion is v1.9.4",
    ],
    [
      "TALOS_V1_12_0_ALPHA_1",
      "v1.12.0",
      "its volume id TALOS_V1_12_0_ALPHA_1 is of Talos v1.12.0-alpha.1, but talosVersion is v1.12.0",
    ],
  ])("%s is wrong for %s", (volumeId, talosVersion, words) => {
    expect(fault(volumeId, talosVersion)).toBe(words);
  });

  test("where the volume names no release, the unified kernel image's os-release may", () => {
    expect(fault("MINE", "v1.11.6", osRelease("v1.11.6"))).toBeUndefined();
    expect(fault("MINE", "v1.11.6", osRelease('"v1.11.6"'))).toBeUndefined();
    expect(fault("MINE", "v1.11.6", "NAME=Talos\n")).toBeUndefined();
    expect(fault("MINE", "v1.11.6", osRelease("v1.10.3"))).toBe(
      "its os-release is of Talos v1.10.3, but talosVersion is v1.11.6",
    );
  });
});
