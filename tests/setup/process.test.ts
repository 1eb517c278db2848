import { chmodSync } from "node:fs";
import { run } from "../../tools/setup/process.cjs";
import { FakeMachine } from "./fake-machine";

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
});
afterEach(() => machine.remove());

describe("a program that set-up runs", () => {
  const script = (text: string) => {
    const path = machine.write("slow", `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const { env } = process;

  test("is ended when nothing is heard of it", async () => {
    const ran = run(script("echo downloading one >&2; exec sleep 60"), [], { env, silence: 0.5 });
    await expect(ran).rejects.toThrow("nothing was heard of it for 0.5 s");
  });

  test("is ended when it is not done in time, however much it says", async () => {
    const chatty = script("while :; do echo .; sleep 0.1; done");
    await expect(run(chatty, [], { env, silence: 10, limit: 0.5 })).rejects.toThrow(
      "it was not done after 0.5 s",
    );
  });
});
