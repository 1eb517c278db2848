import semver from "semver";
import { splitArguments } from "./kernel-line";
import { MINORS } from "./talos-releases.cjs";

/** Whether a release is supported. A newer one than any that was tried is: its ISO says what its kernel wants. */
export function knowsTalos(version: string): boolean {
  return semver.gte(version, `${MINORS[0]}.0`);
}

/**
 * Without one of these, or with another value, Talos says `KSPP kernel parameter … is required` and hangs, and it counts the
 * first argument of that name (siderolabs/talos, internal/pkg/kspp). Every ISO has them.
 */
const DEMANDED = ["slab_nomerge=", "pti=on"];

/** What the appliance sets itself, or must not leave as a medium that one boots by hand has it, by the argument's name. */
const REPLACED = [
  "BOOT_IMAGE",
  "console",
  "initrd",
  "talos.config",
  // Stops a machine that has Talos on its disk already; the netboot's boot order decides about that.
  "talos.halt_if_installed",
  "talos.platform",
];

/** Characters that the kernel reads of its command line: COMMAND_LINE_SIZE on x86 is 2048, with the NUL at its end. */
export const LINE_LIMIT = 2047;

/** The console that a machine of that asset tag gets behind those of its stack. */
export const SERIAL_CONSOLE = "console=ttyS0";

/** iPXE's name for the kernel comes first in the line, and its EFI stub finds the initramfs by the second. */
const BEFORE = ["vmlinuz", "initrd=initramfs.xz"];

export interface KernelLine {
  /** In their order, without `initrd=`. */
  arguments: string[];
  /** What the ISO's own line has and this one has not. */
  dropped: string[];
  /** What this line has and the ISO's own has not. */
  added: string[];
  /** What `kernelArgs` would drop and the ISO does not have, as it is written there. */
  unmatched: string[];
}

const nameOf = (argument: string) => argument.split("=")[0] as string;
/** `slab_nomerge` and `slab_nomerge=` are one to the kernel, and to Talos. */
const same = (one: string, other: string) => one.replace(/=$/, "") === other.replace(/=$/, "");
const demandedLike = (argument: string) => DEMANDED.find((demanded) => nameOf(demanded) === nameOf(argument));

/** Whether `-NAME` or `-NAME=VALUE` drops an argument, as Talos's schematics write it (siderolabs/go-procfs). */
const drops = (removal: string, argument: string) =>
  removal.includes("=") ? same(removal.slice(1), argument) : removal.slice(1) === nameOf(argument);

/** What is left of a list when another is taken out of it, one for one. */
function without(list: string[], taken: string[]): string[] {
  const rest = [...taken];
  return list.filter((each) => {
    const at = rest.findIndex((other) => same(each, other));
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

/** Where a mini-PC finds its machine config on the appliance, as a kernel argument. */
function machineConfigArgument(applianceIp: string): string {
  return `talos.config=http://${applianceIp}/configs/minipc.yaml`;
}

/**
 * The kernel arguments of a mini-PC: those of its ISO, in their order, between what the appliance sets itself and what the
 * stack adds. The kernel prints some 900 characters of a line; what the appliance sets is among them.
 *
 * @param iso the arguments that the ISO boots with
 * @param consoles kernel consoles in order; the kernel's last one is /dev/console
 * @param kernelArgs arguments to add at the end; `-NAME` and `-NAME=VALUE` drop those of the ISO
 */
export function kernelLine(
  iso: string[],
  {
    consoles,
    kernelArgs = [],
    applianceIp,
  }: { consoles: string[]; kernelArgs?: string[]; applianceIp: string },
): KernelLine {
  const removals = kernelArgs.filter((argument) => argument.startsWith("-"));
  const own = kernelArgs.filter((argument) => !argument.startsWith("-"));
  const refused = (argument: string) => {
    const demanded = demandedLike(argument);
    return demanded !== undefined && !same(demanded, argument);
  };
  const kept = iso.filter(
    (argument) =>
      !REPLACED.includes(nameOf(argument)) &&
      !refused(argument) &&
      !removals.some((removal) => drops(removal, argument)),
  );
  const missing = DEMANDED.filter((demanded) => !kept.some((argument) => same(argument, demanded)));
  const line = [
    "talos.platform=metal",
    machineConfigArgument(applianceIp),
    ...consoles.map((console) => `console=${console}`),
    ...kept,
    ...missing,
    ...own,
  ];
  return {
    arguments: line,
    dropped: without(iso, line),
    added: without(line, iso),
    unmatched: removals.filter((removal) => !iso.some((argument) => drops(removal, argument))),
  };
}

/** What iPXE reads for itself in a command, where it stands as a word of its own or begins one (ipxe, src/core/exec.c). */
const IPXE_WORD = /(?:^|\s)(?:#|\|\|(?=\s|$)|&&(?=\s|$)|;(?=\s|$))|\$\{[^\s}]*\}|\s\s/;

/** Why iPXE would not pass an argument on unchanged; undefined if it would. */
export function ipxeFault(argument: string): string | undefined {
  const read = IPXE_WORD.exec(argument)?.[0];
  return read && `iPXE reads ${JSON.stringify(read.trim() || read)} of ${argument} as its own script`;
}

/**
 * What is wrong with an argument of `kernelArgs`; undefined if nothing is.
 *
 * @param argument with its `-` when it drops one
 */
export function kernelArgFault(argument: string): string | undefined {
  const removes = argument.startsWith("-");
  const name = nameOf(removes ? argument.slice(1) : argument);
  if (name === "console") return `${argument}: the key consoles names the kernel's consoles`;
  // A user may want the machine to stop where Talos is installed already.
  if (REPLACED.includes(name) && name !== "talos.halt_if_installed")
    return `${argument}: the appliance sets ${name} itself`;
  // Its value may be a whole config, with its keys.
  if (name.startsWith("talos.config.") && !removes)
    return `${name}: the appliance serves the machine config (the key machineConfig), and the kernel line has none`;
  const demanded = demandedLike(name);
  if (demanded && (removes ? drops(argument, demanded) : !same(argument, demanded)))
    return `${argument}: Talos stops at its start without ${demanded.replace(/=$/, "")}`;
  return ipxeFault(argument);
}

/**
 * The arguments of boot.ipxe's `kernel` command.
 *
 * @throws Error when iPXE or the kernel would not read the line as it is
 */
export function ipxeKernelArguments({ arguments: line }: KernelLine): string {
  const whole = [...BEFORE, ...line, SERIAL_CONSOLE].join(" ");
  const fault = line.flatMap((argument) => ipxeFault(argument) ?? [])[0];
  const next = "Shorten or drop arguments with kernelArgs, or in the schematic that the ISO was made from";
  if (fault) throw new Error(`Making the kernel line of boot.ipxe: ${fault}. ${next}`);
  const bytes = Buffer.byteLength(whole);
  if (bytes > LINE_LIMIT)
    throw new Error(
      `Making the kernel line of boot.ipxe: it has ${bytes} characters, and a kernel reads ${LINE_LIMIT}. ${next}`,
    );
  return [...BEFORE.slice(1), ...line].join(" ");
}

/** The arguments of a rendered boot.ipxe's `kernel` command, the other way round. */
export function argumentsIn(script: string): string[] {
  const line = /^kernel \S+ (.*?)(?: \$\{serial-console\})? \|\|/m.exec(script)?.[1] ?? "";
  return splitArguments(line).filter((argument) => nameOf(argument) !== "initrd");
}

/** Whether a rendered boot.ipxe starts a virtual mini-PC with a serial console; one of an older image may not. */
export const hasSerialConsole = (script: string): boolean =>
  /^kernel .*(\$\{serial-console\}|console=ttyS0\b)/m.test(script);

/** How a mini-PC's kernel line differs from its ISO's, as a sentence. */
export function differenceInWords({ dropped, added, unmatched }: KernelLine): string {
  const parts = [
    dropped.length > 0 && `without ${dropped.join(" ")}`,
    added.length > 0 && `with ${added.join(" ")}`,
  ].filter((part) => part !== false);
  const idle = unmatched.length > 0 ? ` The ISO has nothing that ${unmatched.join(" ")} would drop.` : "";
  return `The kernel line is the ISO's ${parts.join(", and ")}.${idle}`;
}
