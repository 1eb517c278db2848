import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { isAlive } from "../../steps/frame/processes.cjs";
import { NO_PROCESS } from "../tools";

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(20);
}

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
    // Until then it is a shell, which would wait for its child.
    await until(() => readFileSync(`/proc/${parent.pid}/comm`, "utf8") === "sleep\n");
    expect(isAlive(child)).toBe(true);
    parent.stdin.end("\n");
    await until(() => !isAlive(child));
    expect(() => process.kill(child, 0)).not.toThrow();
  } finally {
    parent.kill();
  }
});
