import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import execa from "execa";
import type { StepContext } from "./step";

export type Accelerator = "kvm" | "hvf" | "tcg";

/** QEMU that ends with whoever started it. A step runs in the checkout's top, and may be bundled elsewhere. */
export const QEMU_BOUND = resolve("steps/lib/qemu-bound");

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

async function boots(context: StepContext, accelerator: Accelerator): Promise<boolean> {
  const disk = join(context.scratch, "boot-sector");
  await writeFile(disk, bootSector());
  const machine = [
    "-accel",
    accelerator,
    "-machine",
    "pc",
    "-m",
    "64",
    "-display",
    "none",
    "-nodefaults",
    "-no-reboot",
  ];
  const devices = [
    "-drive",
    `file=${disk},format=raw,if=ide`,
    "-device",
    `isa-debug-exit,iobase=${EXIT_PORT},iosize=4`,
  ];
  const ended = await execa(QEMU_BOUND, [...machine, ...devices], {
    reject: false,
    stdin: "ignore",
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  return ended.exitCode === PROVED_STATUS;
}

/**
 * The accelerator to run guests with. `auto` takes the first that boots a sector of 512 bytes within 2 s:
 * a device file that opens proves nothing.
 */
export async function chooseAccelerator(
  context: StepContext,
  wanted: Accelerator | "auto",
): Promise<Accelerator> {
  if (wanted !== "auto") return wanted;
  for (const candidate of ["kvm", "hvf"] as const) {
    if (await boots(context, candidate)) return candidate;
  }
  context.log("no hardware accelerator boots a guest here: software emulation, several times slower");
  return "tcg";
}
