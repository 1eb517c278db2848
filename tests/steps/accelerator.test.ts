import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { chooseAccelerator } from "../../steps/programs/accelerator";
import { testFolder } from "./run-step";

/** What the machine says when a device is opened: root may open any file, so a test cannot have it refused. */
let mockRefusal: string | undefined;
jest.mock("node:fs/promises", () => {
  const real = jest.requireActual<typeof import("node:fs/promises")>("node:fs/promises");
  const open = (...args: Parameters<typeof real.open>) =>
    mockRefusal ? Promise.reject(Object.assign(new Error(), { code: mockRefusal })) : real.open(...args);
  return { ...real, open };
});

/** The files whose content or owner is another than on the real machine. */
const mockFiles: { group?: string; device?: { mode: number; gid: number } } = {};
jest.mock("node:fs", () => {
  const real = jest.requireActual<typeof import("node:fs")>("node:fs");
  return {
    ...real,
    readFileSync: (...args: Parameters<typeof real.readFileSync>) =>
      args[0] === "/etc/group" ? mockFiles.group : real.readFileSync(...args),
    statSync: (...args: Parameters<typeof real.statSync>) =>
      String(args[0]).endsWith("/kvm") ? mockFiles.device : real.statSync(...args),
  };
});

const folder = testFolder();
const { PATH } = process.env;
afterEach(() => {
  process.env.PATH = PATH;
  mockRefusal = undefined;
});

/** Longer than any machine needs for a script of two lines. */
const AMPLE_MS = 600_000;

/**
 * Chooses where QEMU is a stand-in, a shell script, and KVM's device a file.
 *
 * @returns what was chosen, and what was said
 */
async function choose(
  script: string,
  wanted: "auto" | "kvm" | "tcg" = "auto",
  { hasDevice = true, limitMs = AMPLE_MS } = {},
) {
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
  if (hasDevice) writeFileSync(join(scratch, "kvm"), "");
  const chosen = await chooseAccelerator(context, wanted, join(scratch, "kvm"), limitMs);
  return { chosen, said: said.join("\n"), wasAsked: existsSync(asked) };
}

// 33: what QEMU ends with when the guest wrote the proof to its exit port.
test("KVM is used where a guest ran", async () => {
  expect(await choose("exit 33")).toEqual({ chosen: "kvm", said: "", wasAsked: true });
});

test.each<[what: string, script: string, reason: string, limitMs?: number]>([
  [
    "QEMU refuses",
    "echo warning >&2; echo 'ioctl(KVM_CREATE_VM) failed' >&2; exit 1",
    "QEMU says: ioctl(KVM_CREATE_VM) failed",
  ],
  ["QEMU ends well, but without the guest's proof", "exit 0", "QEMU says: nothing, and ends with status 0"],
  ["QEMU hangs", "exec sleep 600", "a guest of 512 bytes hangs in it, 2 s long", 2000],
])(
  "software emulation is used where %s, and the reason is given",
  async (_what, script, reason, limitMs = AMPLE_MS) => {
    const { chosen, said } = await choose(script, "auto", { limitMs });
    expect(chosen).toBe("tcg");
    expect(said).toMatch(/^no KVM, so guests run under software emulation, several times slower: [^\n]*$/);
    expect(said).toContain(reason);
  },
);

test("on a machine without KVM's device the reason says what to switch on, and QEMU is not asked", async () => {
  const { chosen, said, wasAsked } = await choose("exit 33", "auto", { hasDevice: false });
  expect({ chosen, wasAsked }).toEqual({ chosen: "tcg", wasAsked: false });
  expect(said).toMatch(/: there is no \/\S+\/kvm: switch virtualisation on/);
});

const user = userInfo().username;
test.each([
  ["its group may", 0o20660, 106, `kvm:x:106:`, `sudo usermod -aG kvm ${user}, then log in anew`],
  [
    "its group may, and the user is in it by now",
    0o20660,
    106,
    `kvm:x:106:a,${user}`,
    "after this login began, so log in anew",
  ],
  ["its group is root", 0o20660, 0, "root:x:0:", `sudo chown ${user} /`],
  ["its group may not", 0o20600, 106, "kvm:x:106:", `sudo chown ${user} /`],
  ["its group has no name", 0o20660, 994, "kvm:x:106:", `sudo chown ${user} /`],
])(
  "a device that the user may not open, and %s: said with what helps",
  async (_what, mode, gid, group, help) => {
    mockRefusal = "EACCES";
    Object.assign(mockFiles, { group: `sudo:x:27:\n${group}\n`, device: { mode, gid } });
    const { chosen, said } = await choose("exit 33");
    expect(chosen).toBe("tcg");
    expect(said).toContain(`/kvm is there, but ${user} may not open it: `);
    expect(said).toContain(help);
    await expect(choose("exit 33", "kvm")).rejects.toThrow(help);
  },
);

test("a device without its kernel module says so", async () => {
  mockRefusal = "ENODEV";
  expect((await choose("exit 33")).said).toContain("/kvm does not open (ENODEV): is the kernel's module");
});

test("one that is named is taken at its word, and nothing boots", async () => {
  expect(await choose("exit 1", "kvm")).toEqual({ chosen: "kvm", said: "", wasAsked: false });
  expect(await choose("exit 1", "tcg", { hasDevice: false })).toEqual({
    chosen: "tcg",
    said: "",
    wasAsked: false,
  });
});
