import { spawn } from "node:child_process";
import { once } from "node:events";
import { isAlive } from "../../steps/frame/processes.cjs";
import { NO_PROCESS } from "../tools";

test("a process is alive until it ends", () => {
  expect(isAlive(process.pid)).toBe(true);
  expect(isAlive(NO_PROCESS)).toBe(false);
});

test("a process that has ended is not alive, though its parent never waits for it", async () => {
  const parent = spawn("sh", ["-c", "exec 3<&0; read -r _ <&3 & echo $!; exec sleep 600"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  try {
    const [text] = (await once(parent.stdout, "data")) as [Buffer];
    const child = Number(text.toString());
    expect(isAlive(child)).toBe(true);
    parent.stdin.end("\n");
    while (isAlive(child)) await new Promise((next) => setTimeout(next, 20));
    expect(() => process.kill(child, 0)).not.toThrow();
  } finally {
    parent.kill();
  }
});
