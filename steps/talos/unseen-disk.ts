import type { NodeConfig } from "./node-config";

/**
 * What no virtual machine can show of the install disk, in words; undefined where Talos says itself that the disk is not there.
 * By an UnattendedInstallConfig it waits for the disk and says nothing (internal/app/machined/pkg/controllers/runtime/unattended_install.go).
 */
export const unseenDisk = ({ install }: Pick<NodeConfig, "install">) =>
  install.byDocument
    ? `for the disk of its UnattendedInstallConfig${install.disk ? `, ${install.disk},` : ""} Talos would wait in silence`
    : undefined;
