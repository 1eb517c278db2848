import { spawn, type ChildProcess } from "node:child_process";
import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const OVMF_CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd";
const OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd";

export interface Hardware {
  firmware: "bios" | "uefi";
  /** RAW image to boot; it is not changed. Without one, the machine boots from its network. */
  disk?: string;
  diskBus?: "virtio" | "sata" | "ide";
  nics: { model: "virtio-net-pci" | "e1000" | "e1000e"; mac: string; netdev: string }[];
  memoryMib?: number;
}

const DISK_DEVICES = {
  virtio: ["-device", "virtio-blk-pci,drive=disk,bootindex=1"],
  sata: ["-device", "ahci,id=ahci", "-device", "ide-hd,drive=disk,bus=ahci.0,bootindex=1"],
  ide: ["-device", "ide-hd,drive=disk,bootindex=1"],
};

/** A virtual machine of a test: its serial port is a file, and it ends with the test. */
export class Machine {
  private readonly process: ChildProcess;
  private readonly serial: string;
  private words = "";

  constructor(folder: string, name: string, hardware: Hardware) {
    this.serial = join(folder, `${name}.serial`);
    const { firmware, disk, diskBus = "virtio", nics, memoryMib = 512 } = hardware;
    const args = [
      "-name",
      name,
      "-accel",
      "tcg,thread=multi",
      "-cpu",
      "max",
      "-machine",
      diskBus === "ide" ? "pc" : "q35",
    ];
    args.push(
      "-smp",
      "1",
      "-m",
      String(memoryMib),
      "-display",
      "none",
      "-nodefaults",
      "-vga",
      "std",
      "-no-reboot",
    );
    args.push("-serial", `file:${this.serial}`);
    if (firmware === "uefi") {
      const variables = join(folder, `${name}.vars`);
      copyFileSync(OVMF_VARS, variables);
      args.push("-drive", `if=pflash,format=raw,readonly=on,file=${OVMF_CODE}`);
      args.push("-drive", `if=pflash,format=raw,file=${variables}`);
    }
    if (disk)
      args.push("-drive", `file=${disk},format=raw,if=none,id=disk,snapshot=on`, ...DISK_DEVICES[diskBus]);
    nics.forEach(({ model, mac, netdev }, index) => {
      const boot = disk ? "" : `,bootindex=${index + 1}`;
      args.push(
        "-netdev",
        `${netdev},id=net${index}`,
        "-device",
        `${model},netdev=net${index},mac=${mac}${boot}`,
      );
    });
    this.process = spawn("setpriv", ["--pdeathsig", "KILL", "--", "qemu-system-x86_64", ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.process.stderr?.on("data", (chunk) => (this.words += chunk));
  }

  /** All that the machine printed on its serial port. */
  get printed(): string {
    return existsSync(this.serial) ? readFileSync(this.serial, "utf8") : "";
  }

  /** Waits until the machine prints what matches; fails with its last words. */
  async waitFor(pattern: RegExp, limitMs: number): Promise<RegExpExecArray> {
    const end = Date.now() + limitMs;
    while (Date.now() < end && this.process.exitCode === null) {
      const found = pattern.exec(this.printed);
      if (found) return found;
      await pause(250);
    }
    const found = pattern.exec(this.printed);
    if (found) return found;
    throw new Error(
      `${pattern} was not printed within ${limitMs / 1000} s; last words:\n${this.words}${this.printed.slice(-3000)}`,
    );
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process.once("close", resolve));
    this.process.kill("SIGKILL");
    await ended;
  }
}

/** The two ends of a cable between two machines: a unix socket, no address of this host. */
export function cable(folder: string, name: string): { near: string; far: string } {
  const path = join(folder, `${name}.sock`);
  return {
    near: `stream,server=on,addr.type=unix,addr.path=${path}`,
    far: `stream,server=off,addr.type=unix,addr.path=${path}`,
  };
}
