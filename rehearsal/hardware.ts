import type { Rehearsal } from "./course";

/**
 * What a rehearsal pretends to be: Synology VMM's default, SeaBIOS with virtio, and a twin with all that can be chosen
 * there instead; a mini-PC whose UEFI has a driver for its NIC.
 */
export const HARDWARE: Rehearsal["hardware"] = {
  appliance: { firmware: "bios", disk: "virtio", nic: "virtio-net-pci" },
  minipc: { firmware: "uefi", nic: "virtio-net-pci" },
  twin: { firmware: "uefi", disk: "sata", nic: "e1000", swapped: true },
};
