import { constants, readFileSync, statSync } from "node:fs";
import { open, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { start } from "./process";
import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";

export type Accelerator = "kvm" | "hvf" | "tcg";

/** QEMU that ends with whoever started it. A step runs in the checkout's top, and may be bundled elsewhere. */
export const QEMU_BOUND = resolve("steps/programs/qemu-bound");

/** Port and value of QEMU's isa-debug-exit device: writing v ends QEMU with the status 2v + 1. */
const EXIT_PORT = 0xf4;
const PROOF = 0x10;
const PROVED_STATUS = PROOF * 2 + 1;
/** A working accelerator needs a third of a second; one that takes longer would be slower than emulation. */
const LIMIT_MS = 2000;

/** A boot sector that writes PROOF to the exit port: mov al, PROOF; out EXIT_PORT, al; hlt. */
function bootSector(): Buffer {
  const sector = Buffer.alloc(512);
  Buffer.from([0xb0, PROOF, 0xe6, EXIT_PORT, 0xf4]).copy(sector);
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

/** @returns why a guest does not run; undefined when it does */
async function bootFault(
  context: StepContext,
  accelerator: Accelerator,
  limitMs: number,
): Promise<string | undefined> {
  const disk = join(context.scratch, "boot-sector");
  await writeFile(disk, bootSector());
  const flags = [
    ...["-accel", accelerator, "-machine", "pc", "-m", "64"],
    ...["-display", "none", "-nodefaults", "-no-reboot"],
    ...["-drive", `file=${disk},format=raw,if=ide`],
    ...["-device", `isa-debug-exit,iobase=${EXIT_PORT},iosize=4`],
  ];
  const ended = await start(QEMU_BOUND, flags, {
    reject: false,
    stdin: "ignore",
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  if (ended.exitCode === PROVED_STATUS) return undefined;
  // Node's own timer may be before execa's, which then does not say that it timed out.
  if (ended.signal === "SIGKILL") return `a guest of 512 bytes hangs in it, ${limitMs / 1000} s long`;
  const words = ended.stderr.trim().split("\n").at(-1);
  return `QEMU says: ${words || `nothing, and ends with ${ended.signal ?? `status ${ended.exitCode}`}`}`;
}

/** The line of group(5) for a group's number; undefined where there is none. */
function groupOf(gid: number): { name: string; members: string[] } | undefined {
  const lines = readFileSync("/etc/group", "utf8").split("\n");
  const [name, , , members = ""] =
    lines.map((line) => line.split(":")).find(([, , id]) => id === String(gid)) ?? [];
  return name ? { name, members: members.split(",") } : undefined;
}

/** This user's name, or number where it has none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}

/** What lets this user open a device that is there, in words. */
function permission(device: string): string {
  const { mode, gid } = statSync(device);
  const user = userName();
  const group = gid === 0 || (mode & 0o060) !== 0o060 ? undefined : groupOf(gid);
  if (!group) return `sudo chown ${user} ${device} permits it until the next start of this machine`;
  if (group.members.includes(user))
    return `${user} joined its group ${group.name} after this login began, so log in anew`;
  return `sudo usermod -aG ${group.name} ${user}, then log in anew`;
}

/** @returns why KVM cannot be used here at all, and what helps; undefined when its device opens */
async function deviceFault(device: string): Promise<string | undefined> {
  try {
    await (await open(device, constants.O_RDWR)).close();
    return undefined;
  } catch (fault) {
    const { code } = fault as NodeJS.ErrnoException;
    if (code === "ENOENT")
      return `there is no ${device}: switch virtualisation on in the firmware, or nested virtualisation where this is a virtual machine`;
    if (code === "EACCES" || code === "EPERM")
      return `${device} is there, but ${userName()} may not open it: ${permission(device)}`;
    return `${device} does not open (${code ?? (fault as Error).message}): is the kernel's module kvm_intel or kvm_amd loaded?`;
  }
}

/**
 * The accelerator to run guests with. `auto` takes the first that boots a sector of 512 bytes within 2 s:
 * a device file that opens proves nothing. Where none does, what stands against KVM is said.
 *
 * @throws StepError when KVM is wanted by name and its device does not open
 */
export async function chooseAccelerator(
  context: StepContext,
  wanted: Accelerator | "auto",
  device = "/dev/kvm",
  limitMs = LIMIT_MS,
): Promise<Accelerator> {
  if (wanted !== "auto" && wanted !== "kvm") return wanted;
  const closed = await deviceFault(device);
  if (wanted === "kvm") {
    if (closed) throw new StepError("starting QEMU with KVM", closed, "Or leave the key accelerator at auto");
    return "kvm";
  }
  const fault = closed ?? (await bootFault(context, "kvm", limitMs));
  if (!fault) return "kvm";
  if (process.platform === "darwin" && !(await bootFault(context, "hvf", limitMs))) return "hvf";
  context.log(`no KVM, so guests run under software emulation, several times slower: ${fault}`);
  return "tcg";
}
