import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Machine } from "../../../rehearsal/machines/machine";

const folder = mkdtempSync(join(tmpdir(), "machine-"));
const { PATH } = process.env;
beforeAll(() => {
  const qemu = "#!/bin/sh\necho a console\necho qemu: no such device >&2\nexit 1\n";
  writeFileSync(join(folder, "qemu-system-x86_64"), qemu, { mode: 0o755 });
  process.env.PATH = `${folder}:${PATH}`;
});
afterAll(() => {
  process.env.PATH = PATH;
  rmSync(folder, { recursive: true, force: true });
});

test("QEMU's own complaints are in the machine's log, and are reported at its end", async () => {
  const serialLog = join(folder, "appliance.serial.log");
  const said: string[] = [];
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const machine = new Machine({
    ...{ name: "appliance", accelerator: "tcg", memoryMib: 64, nics: [], scratch: folder, serialLog },
    hardware: { firmware: "bios", nic: "e1000" },
    onLine: (text) => said.push(text),
    onEnd(words) {
      said.push(words);
      end();
    },
    onFault(fault) {
      throw fault;
    },
  });
  await ended;
  await machine.stop();
  expect(said).toEqual(["a console", "qemu: no such device"]);
  expect(readFileSync(serialLog, "utf8").split("\n").sort()).toEqual([
    "",
    "a console",
    "qemu: no such device",
  ]);
});
