import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IMAGE, LIMIT_MS, MINIPC, SERVING } from "./demo";
import { cable, Machine, type Hardware } from "./machine";

let folder: string;
let running: Machine[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-e2e-"));
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((machine) => machine.stop()));
  rmSync(folder, { recursive: true });
});

function start(name: string, hardware: Hardware): Machine {
  const machine = new Machine(folder, name, hardware);
  running.push(machine);
  return machine;
}

// A user network of QEMU's own has a DHCP server, as an uplink has; it reaches nothing.
const uplink = { model: "virtio-net-pci", mac: "52:54:00:00:00:02", netdev: "user,restrict=on" } as const;
const isolated = (netdev: string) => ({ model: "virtio-net-pci", mac: "52:54:00:00:00:01", netdev }) as const;

test(
  "BIOS, SATA, e1000: the appliance serves, and boots a mini-PC by UEFI PXE up to its accepted config",
  async () => {
    const link = cable(folder, "isolated");
    const appliance = start("appliance", {
      firmware: "bios",
      disk: IMAGE,
      diskBus: "sata",
      nics: [isolated(link.near), { ...uplink, model: "e1000" }],
    });
    const [, mac, lease, nic] = await appliance.waitFor(SERVING, LIMIT_MS);
    expect([mac, lease, nic]).toEqual([MINIPC, "10.10.10.100", "52:54:00:00:00:01"]);

    const node = start("node", {
      firmware: "uefi",
      nics: [{ model: "virtio-net-pci", mac: MINIPC, netdev: link.far }],
      memoryMib: 768,
    });
    await node.waitFor(/node: kernel \S+ started/, LIMIT_MS);
    await node.waitFor(/node: lease 10\.10\.10\.100 from 10\.10\.10\.2 .*ntp 10\.10\.10\.2/, LIMIT_MS);
    await node.waitFor(/node: time \d{4}-\d\d-\d\dT\S+ from 10\.10\.10\.2/, LIMIT_MS);
    await node.waitFor(
      /node: config sha256 [0-9a-f]{64} from http:\/\/10\.10\.10\.2\/configs\/minipc\.yaml/,
      LIMIT_MS,
    );
    await node.waitFor(
      /node: config accepted machine\.type=controlplane endpoint=https:\/\/10\.10\.10\.100:6443/,
      LIMIT_MS,
    );
    expect(node.printed).not.toContain("FAULT");
  },
  2 * LIMIT_MS,
);

test.each<[string, (near: string) => Omit<Hardware, "disk">]>([
  [
    "UEFI, virtio, the NICs the other way round: the isolated side is still the isolated side",
    (near) => ({ firmware: "uefi", nics: [uplink, isolated(near)] }),
  ],
  [
    "one NIC, IDE: it is the isolated one",
    (near) => ({ firmware: "bios", diskBus: "ide", nics: [isolated(near)] }),
  ],
])(
  "%s",
  async (_what, hardware) => {
    const link = cable(folder, "isolated");
    const appliance = start("appliance", { ...hardware(link.near), disk: IMAGE });
    const [, , , nic] = await appliance.waitFor(SERVING, LIMIT_MS);
    expect(nic).toBe("52:54:00:00:00:01");
  },
  LIMIT_MS,
);

test(
  "a DHCP server on the only NIC: nothing is served, and the console says why",
  async () => {
    const appliance = start("appliance", { firmware: "bios", disk: IMAGE, nics: [uplink] });
    await appliance.waitFor(/bootstrap-pxe: NOT serving: a DHCP server answers on every NIC/, LIMIT_MS);
  },
  LIMIT_MS,
);
