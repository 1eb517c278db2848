import fc from "fast-check";
import { isoArguments, splitArguments } from "../../stack/kernel-line";

const grubArguments = (grubConfig: string) => isoArguments({ grubConfig });
const ukiArguments = (ukiCommandLine: string) => isoArguments({ ukiCommandLine });

/** As `imager` writes it into an ISO of 1.9 to 1.14 (siderolabs/talos, pkg/imager/iso/grub.cfg). */
const grubConfig = (line: string, reset = true) => `set default=0
set timeout=3

insmod all_video

terminal_input console
terminal_output console

menuentry "Talos ISO" {
\tset gfxmode=auto
\tset gfxpayload=text
\tlinux /boot/vmlinuz ${line}
\tinitrd /boot/initramfs.xz
}

${
  reset
    ? `menuentry "Reset Talos installation" {
\tset gfxmode=auto
\tset gfxpayload=text
\tlinux /boot/vmlinuz ${line} talos.experimental.wipe=system
\tinitrd /boot/initramfs.xz
}
`
    : ""
}`;

const RELEASES: [release: string, line: string][] = [
  [
    "1.9",
    "talos.platform=metal console=tty0 init_on_alloc=1 slab_nomerge= pti=on consoleblank=0 nvme_core.io_timeout=4294967295 printk.devkmsg=on ima_template=ima-ng ima_appraise=fix ima_hash=sha512 talos.halt_if_installed=1",
  ],
  [
    "1.11",
    "talos.platform=metal console=tty0 init_on_alloc=1 slab_nomerge= pti=on consoleblank=0 nvme_core.io_timeout=4294967295 printk.devkmsg=on selinux=1 talos.halt_if_installed=1",
  ],
  [
    "1.14",
    "talos.platform=metal console=tty0 slab_nomerge= pti=on consoleblank=0 printk.devkmsg=on selinux=1 module.sig_enforce=1 proc_mem.force_override=never talos.halt_if_installed=1",
  ],
];

test.each(RELEASES)(
  "the first entry of %s's grub.cfg, not the one that wipes the machine",
  (_release, line) => {
    expect(grubArguments(grubConfig(line))).toEqual(line.split(" "));
    expect(grubArguments(grubConfig(line, false))).toEqual(line.split(" "));
  },
);

test.each(RELEASES)("the section .cmdline of %s's unified kernel image", (_release, line) => {
  for (const end of ["", "\0", "\n", "\0\0\0"]) expect(ukiArguments(line + end)).toEqual(line.split(" "));
});

test("what Talos escapes for GRUB with a backslash reaches the kernel unescaped", () => {
  const quoted = String.raw`linux /boot/vmlinuz dyndbg=\"file drivers/usb/\* +p\" a=\$\{b\} talos.config=http://x/?a=1\&b=2 c\\d`;
  expect(grubArguments(`menuentry "Talos ISO" {\n\t${quoted}\n}\n`)).toEqual([
    'dyndbg="file drivers/usb/* +p"',
    "a=${b}",
    "talos.config=http://x/?a=1&b=2",
    "c\\d",
  ]);
});

test("a backslash at a line's end continues the line, unless it is escaped itself", () => {
  expect(grubArguments("linux /boot/vmlinuz a \\\n  b\ninitrd /x\n")).toEqual(["a", "b"]);
  expect(grubArguments("linux /boot/vmlinuz a\\\\\ninitrd /x\n")).toEqual(["a\\"]);
});

test("an ISO of both forms boots UEFI machines by its unified kernel image, whose line counts", () => {
  expect(isoArguments({ ukiCommandLine: "a b", grubConfig: grubConfig("c") })).toEqual(["a", "b"]);
});

test("an entry that boots no kernel names no arguments", () => {
  expect(isoArguments({})).toEqual([]);
  expect(grubArguments('# linux /boot/vmlinuz a\nmenuentry "x" {\n\tchainloader /x.efi\n}\n')).toEqual([]);
  expect(grubArguments("linux /boot/vmlinuz\ninitrd /boot/initramfs.xz\n")).toEqual([]);
});

test("any list of arguments is read back from a line as it was written, including blanks within quotes", () => {
  const word = fc.stringMatching(/^[!#-~]{1,12}$/);
  const quoted = fc
    .tuple(word, fc.stringMatching(/^[ !#-~]{0,12}$/))
    .map(([name, value]) => `${name}="${value}"`);
  fc.assert(
    fc.property(fc.array(fc.oneof(word, quoted)), fc.constantFrom(" ", "  ", "\t"), (list, blank) => {
      expect(splitArguments(list.join(blank))).toEqual(list);
      expect(ukiArguments(`${list.join(blank)}\0`)).toEqual(list);
      const hidden = list.join(blank).replace(/[\\{}&$|;<>"]/g, "\\$&");
      expect(grubArguments(grubConfig(hidden))).toEqual(list);
    }),
  );
});
