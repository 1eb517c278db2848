import { readNodeConfig } from "../../../steps/talos/read-node-config";
import { unseenDisk } from "../../../steps/talos/unseen-disk";
import { made } from "./cases";

test("of a disk that is not there, Talos is silent by an UnattendedInstallConfig, and says so by machine.install", () => {
  expect(unseenDisk(readNodeConfig(made("v1.12.6")))).toBeUndefined();
  expect(unseenDisk(readNodeConfig(made("v1.14.1")))).toMatch(
    /^for the disk of its UnattendedInstallConfig.* Talos would wait in silence$/,
  );
});
