import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Monitor } from "../../../rehearsal/machines/qmp";

const folder = mkdtempSync(join(tmpdir(), "monitor-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A machine that says `words` to who connects, and reads nothing. */
async function machine(name: string, words: string) {
  const path = join(folder, name);
  const program = `require("node:net")
    .createServer({ pauseOnConnect: true }, (port) => port.write(${JSON.stringify(words)}, () => console.log("said")))
    .listen(${JSON.stringify(path)}, () => console.log("ready"))`;
  const child = spawn("node", ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return { path, child };
}

const GREETING = '{"QMP": {"version": {}, "capabilities": []}}\r\n';
const ACCEPTED = '{"return": {}}\r\n';

test.each([
  ["before it has read what it was asked", GREETING],
  ["in the middle of a line", `${GREETING}{"return": {}`],
])("a machine that is killed %s ends what is asked, not this process", async (_when, words) => {
  const { path, child } = await machine(`killed-${words.length}`, words);
  const opening = new Monitor(path).open();
  child.stdout.once("data", () => child.kill("SIGKILL"));
  await expect(opening).rejects.toThrow("QEMU, qmp_capabilities: the machine has ended");
});

test("what is asked of a machine that has ended is refused", async () => {
  const { path, child } = await machine("ended", GREETING + ACCEPTED);
  const monitor = await new Monitor(path).open();
  child.kill("SIGKILL");
  await once(child, "close");
  await expect(monitor.reset()).rejects.toThrow("QEMU, system_reset: the machine has ended");
  await expect(monitor.reset()).rejects.toThrow("QEMU, system_reset: the machine has ended");
});
