import { checkConfig } from "../../../stack/config";
import { enough } from "./given";

test.each([
  ["tty0", ["tty0"]],
  ["tty0,ttyS0", ["tty0", "ttyS0"]],
  ["tty0, ttyS0,115200n8", ["tty0", "ttyS0,115200n8"]],
  ["ttyS1,9600,tty0", ["ttyS1,9600", "tty0"]],
  ["uart8250,mmio32,0xfe000000,115200n8,hvc0", ["uart8250,mmio32,0xfe000000,115200n8", "hvc0"]],
  ['["tty0", "ttyS0,115200n8"]', ["tty0", "ttyS0,115200n8"]],
])("consoles %s", (consoles, read) => {
  expect(checkConfig({ ...enough, consoles }, "lab", [], {}).consoles).toEqual(read);
});

test.each([
  ["nosmt -selinux", ["nosmt", "-selinux"]],
  ["", undefined],
  ['dyndbg="file x +p"  nosmt', ['dyndbg="file x +p"', "nosmt"]],
  ['["nosmt", "isolcpus=1,2"]', ["nosmt", "isolcpus=1,2"]],
  ["pti=on talos.halt_if_installed=1", ["pti=on", "talos.halt_if_installed=1"]],
  ["-pti=off", ["-pti=off"]],
])("kernelArgs %s", (kernelArgs, read) => {
  expect(checkConfig({ ...enough, kernelArgs }, "lab", [], {}).kernelArgs).toEqual(read);
});
