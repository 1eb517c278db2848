import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { isAlive } from "../../steps/frame/processes.cjs";
import { until } from "../engine/aftermath";
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
    // Until then it is a shell, which would wait for its child.
    await until("its parent's program", () => readFileSync(`/proc/${parent.pid}/comm`, "utf8") === "sleep\n");
    expect(isAlive(child)).toBe(true);
    parent.stdin.end("\n");
    await until("its end", () => !isAlive(child));
    expect(() => process.kill(child, 0)).not.toThrow();
  } finally {
    parent.kill();
  }
});
