import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, createWriteStream, existsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import semver from "semver";
import { QEMU_BOUND, type Accelerator } from "../../steps/programs/accelerator";
import { environmentFor } from "../../steps/programs/environment";
import { SERIAL_ASSET_TAG } from "../../stack/kernel-line";
import { run } from "../../steps/programs/process";
import type { StepContext } from "../../steps/frame/context";
import { StepError } from "../../steps/frame/step-error";
import type { Link } from "../network/link";
import { Monitor } from "./qmp";
import { redactStream } from "./redact";
import { starvedMs } from "./starvation";
import type { Hardware } from "../record";

/** UEFI for virtual machines and its empty variables, as Debian's and Ubuntu's package ovmf name them. */
const OVMF = [
  ["/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"],
  ["/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"],
] as const;

const DISK_DEVICES = {
  virtio: ["-device", "virtio-blk-pci,drive=disk,bootindex=1"],
  "virtio-scsi": [
    ...["-device", "virtio-scsi-pci,id=scsi", "-device", "scsi-hd,drive=disk,bus=scsi.0,bootindex=1"],
  ],
  sata: ["-device", "ahci,id=ahci", "-device", "ide-hd,drive=disk,bus=ahci.0,bootindex=1"],
  ide: ["-device", "ide-hd,drive=disk,bootindex=1"],
};

export interface Nic {
  mac: string;
  link: Link;
}

export interface MachineOptions {
  name: string;
  hardware: Hardware;
  accelerator: Accelerator;
  memoryMib: number;
  nics: Nic[];
  /** RAW image to boot; it is not changed unless the hardware keeps its disk. Without one the machine boots from its network. */
  disk?: string;
  /** Size in bytes of a blank NVMe disk that the machine has besides; it takes no room. */
  blankDiskBytes?: number;
  /** Where sockets, firmware variables and what is written to the disk go. */
  scratch: string;
  /** File for all that the serial console prints, and QEMU's own complaints. */
  serialLog: string;
  onLine: (text: string) => void;
  onEnd: (words: string) => void;
  /** Hears of a log that cannot be written. */
  onFault: (fault: Error) => void;
}

/** Port of the first serial console, for SeaBIOS: it says there too whether a disk boots (SeaBIOS, docs/Runtime_config). */
const SERIAL_PORT = Buffer.from([0xf8, 0x03]);

/** First release with the stream netdev on a unix socket (QEMU 7.2, changelog). */
export const OLDEST_QEMU = "7.2.0";

/** @throws StepError when QEMU cannot do what a rehearsal needs */
export async function checkQemu(context: Pick<StepContext, "signal">): Promise<void> {
  const { stdout } = await run(context, "qemu-system-x86_64", ["--version"]);
  const version = semver.coerce(stdout)?.version ?? "0.0.0";
  if (semver.gte(version, OLDEST_QEMU)) return;
  throw new StepError(
    "rehearsing the image",
    `QEMU ${version} cannot join two machines without an address of this host`,
    `Install QEMU ${OLDEST_QEMU} or newer, or switch it off: pulumi config set rehearse false`,
  );
}

function biosArguments(name: string, scratch: string): string[] {
  const port = join(scratch, `${name}.sercon`);
  writeFileSync(port, SERIAL_PORT);
  return ["-fw_cfg", `name=etc/sercon-port,file=${port}`];
}

function uefiArguments(name: string, scratch: string): string[] {
  const found = OVMF.find((files) => files.every((file) => existsSync(file)));
  if (!found)
    throw new StepError("starting a UEFI machine", "OVMF is not on this machine", "npm run setup brings it");
  const variables = join(scratch, `${name}.vars`);
  copyFileSync(found[1], variables);
  return [
    ...["-drive", `if=pflash,format=raw,readonly=on,file=${found[0]}`],
    ...["-drive", `if=pflash,format=raw,file=${variables}`],
  ];
}

function nicArguments({ mac, link }: Nic, index: number, model: string, boots: boolean): string[] {
  const netdev = `stream,id=net${index},server=off,addr.type=unix,addr.path=${link.path}`;
  // OVMF boots a virtio NIC with its own PXE; for another one it needs QEMU's ROM, which is iPXE already.
  const rom = boots && model !== "virtio-net-pci" ? "" : ",romfile=";
  const device = `${model},netdev=net${index},mac=${mac}${boots ? `,bootindex=${index + 1}` : ""}${rom}`;
  return ["-netdev", netdev, "-device", device];
}

/** A disk as most mini-PCs have it; no boot order names it, so that the network comes first. */
function blankDiskArguments(name: string, scratch: string, bytes: number): string[] {
  const file = join(scratch, `${name}.blank-disk`);
  writeFileSync(file, "");
  truncateSync(file, bytes);
  return [
    ...["-drive", `file=${file},format=raw,if=none,id=blank,discard=unmap`],
    ...["-device", "nvme,drive=blank,serial=bootstrap-pxe"],
  ];
}

function qemuArguments({
  name,
  hardware,
  accelerator,
  memoryMib,
  nics,
  disk,
  blankDiskBytes,
  scratch,
}: MachineOptions): string[] {
  const snapshot = hardware.keepsDisk ? "off" : "on";
  return [
    ...["-name", name, "-accel", accelerator, "-cpu", accelerator === "tcg" ? "max" : "host"],
    // IDE belongs to the older chipset.
    ...["-machine", hardware.disk === "ide" ? "pc" : "q35", "-smp", "1", "-m", String(memoryMib)],
    ...(hardware.clock ? ["-rtc", `base=${hardware.clock}`] : []),
    ...["-nodefaults", "-display", "none", "-vga", "std"],
    ...["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"],
    ...["-qmp", `unix:${join(scratch, `${name}.qmp`)},server=on,wait=off`],
    ...(hardware.firmware === "uefi" ? uefiArguments : biosArguments)(name, scratch),
    ...(disk ? ["-drive", `file=${disk},format=raw,if=none,id=disk,snapshot=${snapshot}`] : []),
    // What boots from the network is to say on its serial port what it would say on its screen.
    ...(disk ? [] : ["-smbios", `type=3,asset=${SERIAL_ASSET_TAG}`]),
    ...(disk ? DISK_DEVICES[hardware.disk ?? "virtio"] : []),
    ...(blankDiskBytes ? blankDiskArguments(name, scratch, blankDiskBytes) : []),
    ...nics.flatMap((nic, index) => nicArguments(nic, index, hardware.nic, !disk)),
  ];
}

/** A virtual machine; it ends with this process, even when that is killed outright. */
export class Machine {
  private readonly process: ChildProcess;
  private monitor?: Promise<Monitor>;
  /** Resolves when the machine has ended and its log is whole. */
  private readonly logged: Promise<void>;

  constructor(private readonly options: MachineOptions) {
    const log = createWriteStream(options.serialLog).on("error", options.onFault);
    this.process = spawn(QEMU_BOUND, qemuArguments(options), {
      stdio: ["ignore", "pipe", "pipe"],
      // What the machine writes goes to memory, and with it any secret that it holds.
      env: { ...environmentFor(QEMU_BOUND), TMPDIR: options.scratch },
    });
    const { stdout, stderr } = this.process as ChildProcess & { stdout: Readable; stderr: Readable };
    const console = stdout.pipe(redactStream());
    for (const said of [console, stderr]) said.pipe(log, { end: false });
    // Firmware and GRUB move the cursor instead of ending a line.
    createInterface({ input: console }).on("line", (line) => {
      const text = stripVTControlCharacters(line).trim();
      if (text) options.onLine(text);
    });
    let words = "";
    stderr.on("data", (chunk: Buffer) => (words += chunk.toString()));
    this.process.once("close", () => options.onEnd(words.trim()));
    this.logged = once(this.process, "close").then(() => new Promise((resolve) => log.end(() => resolve())));
  }

  private get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** How long it had no CPU since it was started, on a busy host, in milliseconds. */
  get starvedMs(): number {
    return this.process.pid ? starvedMs(this.process.pid) : 0;
  }

  /** QEMU's monitor, which takes one connection. */
  private control(): Promise<Monitor> {
    return (this.monitor ??= this.openMonitor());
  }

  private async openMonitor(): Promise<Monitor> {
    const path = join(this.options.scratch, `${this.options.name}.qmp`);
    while (this.isRunning && !existsSync(path)) await pause(50);
    return new Monitor(path).open();
  }

  /** Writes a picture of the screen, as PNG. @returns whether there was a screen */
  async screendump(path: string): Promise<boolean> {
    if (!this.isRunning) return false;
    try {
      await (await this.control()).screendump(path);
      return existsSync(path);
    } catch {
      // It ended in the middle; what it said last is reported elsewhere.
      return false;
    }
  }

  /** Plugs the cable of a NIC in or out. @param index of the NIC among the machine's */
  async plug(index: number, isIn: boolean): Promise<void> {
    await (await this.control()).setLink(`net${index}`, isIn);
  }

  /** Presses the reset button. */
  async reset(): Promise<void> {
    await (await this.control()).reset();
  }

  async stop(): Promise<void> {
    if (this.isRunning) this.process.kill("SIGKILL");
    await this.logged;
    (await this.monitor?.catch(() => undefined))?.close();
  }
}
