import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publish } from "../../steps/store/files";
import { tool } from "../tools";
import { makeDisk, SEALED_ROOT } from "./disk";

interface Made {
  path: string;
  sha256: string;
}

/** What the site.env of a small image says. */
export const SITE = {
  BOOTSTRAP_VERSION: "2025-12-17",
  TALOS_VERSION: "v1.11.6",
  APPLIANCE_CIDR: "10.10.10.2/24",
  MINIPC_MAC: "52:54:00:12:34:56",
  MINIPC_IP: "10.10.10.100",
  UPLINK: "true",
};

/** What goes into a small image, each as its step leaves it. */
export interface Layers {
  base: Made;
  netboot: Made;
  machineConfig: Made;
}

const made = async (path: string): Promise<Made> => ({
  path,
  sha256: (await tool("sha256sum", [path])).slice(0, 64),
});

export async function layersIn(folder: string): Promise<Layers> {
  const [base, netboot] = [join(folder, "base.raw"), join(folder, "netboot.squashfs")];
  const kernel = join(folder, "layer/talos/v1.11.6");
  mkdirSync(kernel, { recursive: true });
  writeFileSync(join(kernel, "vmlinuz"), "kernel");
  await tool("mksquashfs", [join(folder, "layer"), `${netboot}.made`, "-quiet", "-no-progress"]);
  await publish(await makeDisk(folder, SEALED_ROOT), base, "k");
  await publish(`${netboot}.made`, netboot, "k");
  const machineConfig = join(folder, "controlplane.yaml");
  writeFileSync(machineConfig, "machine: {}\n");
  return { base: await made(base), netboot: await made(netboot), machineConfig: await made(machineConfig) };
}

/** What the step `appliance` is given for an image at `path`. */
export function requestFor(layers: Layers, path: string) {
  return {
    key: "0123456789abcdef",
    stack: "lab",
    path,
    files: {
      "site.env": "MINIPC_MAC=52:54:00:12:34:56\n",
      "boot.ipxe": "#!ipxe\n",
      "netplan.yaml": "network: {}\n",
    },
    ...layers,
  };
}
