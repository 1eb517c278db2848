import { chmodSync } from "node:fs";
import { stillAtIt } from "../../tools/setup/context.cjs";
import { runTool } from "../../tools/setup/process.cjs";
import { FakeMachine, NOWHERE } from "./fake-machine";

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

  test("is ended when it says nothing for too long", async () => {
    const ran = runTool(script("echo downloading one >&2; exec sleep 60"), [], { env, silence: 0.5 });
    await expect(ran).rejects.toThrow("it said nothing for 0.5 s");
  });

  test("is ended when it is not done in time, however much it says", async () => {
    const chatty = script("while :; do echo .; sleep 0.1; done");
    await expect(runTool(chatty, [], { env, silence: 10, limit: 0.5 })).rejects.toThrow(
      "it had not ended after 0.5 s",
    );
  });
});

describe("what takes long", () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test("is reported in one line for all programs that are running, and not after they end", () => {
    jest.useFakeTimers({ now: 0 });
    const context = machine.context(NOWHERE);
    const beat = (...names: string[]) => {
      jest.advanceTimersByTime(10_000);
      for (const name of names) stillAtIt(context, name, 0);
    };
    beat("pulumi", "packer");
    beat("pulumi", "packer");
    beat("packer");
    beat("packer");
    expect(machine.said).toEqual([
      "still working: pulumi, 10 s",
      "still working: pulumi, 20 s; packer, 20 s",
      "still working: packer, 40 s",
    ]);
  });
});
