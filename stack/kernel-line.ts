/** The asset tag of a machine's chassis (SMBIOS, type 3) that asks boot.ipxe for a console on its first serial port. */
export const SERIAL_ASSET_TAG = "bootstrap-pxe-serial";

/**
 * The arguments of a kernel's command line, divided as the kernel divides them: a value in double quotes may hold blanks
 * (Linux, lib/cmdline.c, next_arg).
 */
export function splitArguments(line: string): string[] {
  return line.match(/(?:[^\s"]|"[^"]*(?:"|$))+/g) ?? [];
}

/** The arguments of a unified kernel image, out of its section `.cmdline`, which may end with a NUL or a line's end. */
function ukiArguments(section: string): string[] {
  return splitArguments(section.replace(/\0.*/s, ""));
}

/** A line that goes on in the next one: its last backslash is not hidden behind another. */
const CONTINUATION = /(?<!\\)((?:\\\\)*)\\\r?\n/g;

/**
 * The arguments of the first entry of a grub.cfg, without those that are GRUB's own. Talos's entries are one line each; what
 * GRUB would read for itself stands behind a backslash there (siderolabs/talos, bootloader/grub, Quote).
 *
 * @returns undefined when no entry boots a kernel
 */
function grubArguments(config: string): string[] | undefined {
  const line = /^[ \t]*linux(?:16|efi)?[ \t]+\S+(.*)$/m.exec(config.replace(CONTINUATION, "$1 "))?.[1];
  return line === undefined ? undefined : splitArguments(line.replace(/\\(.)/g, "$1"));
}

/**
 * The arguments that an ISO boots its kernel with; none when it names none. What a UEFI machine starts counts, its unified
 * kernel image, and else the first entry of GRUB's menu.
 */
export function isoArguments({
  ukiCommandLine,
  grubConfig,
}: {
  /** Text of the first profile's section `.cmdline`. */
  ukiCommandLine?: string;
  /** Text of `/boot/grub/grub.cfg`. */
  grubConfig?: string;
}): string[] {
  if (ukiCommandLine !== undefined) return ukiArguments(ukiCommandLine);
  return grubArguments(grubConfig ?? "") ?? [];
}
