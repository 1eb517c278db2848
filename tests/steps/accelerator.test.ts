import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chooseAccelerator } from "../../steps/lib/accelerator";
import { testFolder } from "./run-step";

const folder = testFolder();
const { PATH } = process.env;
afterEach(() => {
  process.env.PATH = PATH;
});

/** Chooses where QEMU is a stand-in, a shell script. @returns what was chosen, and what was said */
async function choose(script: string, wanted: "auto" | "kvm" | "tcg" = "auto") {
  const scratch = join(folder, String(Math.random()).slice(2));
  mkdirSync(scratch);
  const asked = join(scratch, "asked");
  const program = `#!/bin/sh\necho "$2" >>'${asked}'\n${script}\n`;
  writeFileSync(join(scratch, "qemu-system-x86_64"), program, { mode: 0o755 });
  process.env.PATH = `${scratch}:${PATH}`;
  const said: string[] = [];
  const context = {
    signal: new AbortController().signal,
    scratch,
    log: (line: string) => void said.push(line),
  };
  const chosen = await chooseAccelerator(context, wanted);
  return { chosen, said: said.join("\n"), wasAsked: existsSync(asked) };
}

// 33: what QEMU ends with when the guest wrote the proof to its exit port.
test.each([
  ["the guest ran", "exit 33", "kvm", ""],
  ["only the second one runs it", '[ "$2" = hvf ] && exit 33; exit 1', "hvf", ""],
  ["QEMU refuses", "exit 1", "tcg", "software emulation"],
  ["QEMU ends well, but without the guest's proof", "exit 0", "tcg", "software emulation"],
  ["QEMU hangs", "exec sleep 600", "tcg", "software emulation"],
])("%s", async (_what, script, accelerator, words) => {
  const { chosen, said } = await choose(script);
  expect(chosen).toBe(accelerator);
  if (words) expect(said).toContain(words);
  else expect(said).toBe("");
});

test("one that is named is taken at its word, and nothing boots", async () => {
  expect(await choose("exit 1", "kvm")).toEqual({ chosen: "kvm", said: "", wasAsked: false });
});
