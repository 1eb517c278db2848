import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { installPackages, missingPackages, updateLists } from "../../tools/setup/apt.cjs";
import { bringCheckers, checkersHeld } from "../../tools/setup/checkers.cjs";
import { runTool } from "../../tools/setup/process.cjs";
import { FakeMachine, NOWHERE } from "./fake-machine";

// The folders that are always looked in belong to the real machine.
jest.mock("../../tools/setup/process.cjs", () => ({
  ...jest.requireActual<object>("../../tools/setup/process.cjs"),
  searchPath: ({ PATH = "" }: NodeJS.ProcessEnv) => PATH.split(":"),
}));

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await machine.remove();
});

const install = () => installPackages(["age", "zstd"], machine.bare(NOWHERE), () => {});
/** What apt was asked for, without its options. */
const asked = () => machine.ran().map((line) => line.replace(/ -\S+( \S+=\S+)?/g, ""));

const DECLINED = expect.stringMatching(
  /^installing was declined; by hand: (sudo )?apt-get install --no-install-recommends age$/,
) as string;

describe("system packages", () => {
  test("are installed without recommends, and waiting for another apt", async () => {
    machine.recorded("apt-get", "");
    await install();
    expect(machine.ran()).toEqual([
      expect.stringMatching(
        /DPkg::Lock::Timeout=\d+ .*install --yes --no-install-recommends --download-only age zstd$/,
      ),
      expect.stringMatching(/DPkg::Lock::Timeout=\d+ .*install --yes --no-install-recommends age zstd$/),
    ]);
    expect(machine.said).toEqual(["System packages to install with apt-get: age zstd"]);
  });

  test.each([
    [1000, ["--non-interactive env DEBIAN_FRONTEND=noninteractive apt-get"]],
    [0, []],
  ])("user %d: sudo is asked, and does not ask", async (user, expected) => {
    jest.spyOn(process, "getuid").mockReturnValue(user);
    const context = machine.bare(NOWHERE);
    machine.program("sudo", `echo "$1 $2 $3 $4" > '${machine.path("sudo")}'; shift; exec "$@"`);
    machine.program("apt-get", "");
    await installPackages(["age"], context, () => {});
    const told = existsSync(machine.path("sudo"))
      ? await runTool("cat", [machine.path("sudo")], context)
      : undefined;
    expect(told?.trim().split("\n") ?? []).toEqual(expected);
  });

  test("outdated package lists are fetched again, and the installation is tried again", async () => {
    const lists = machine.path("lists");
    machine.recorded(
      "apt-get",
      `case "$*" in *update) touch '${lists}';; *) [ -e '${lists}' ] || { echo E: 404 >&2; exit 100; };; esac`,
    );
    await install();
    expect(asked()).toEqual([
      "apt-get install age zstd",
      "apt-get update",
      "apt-get install age zstd",
      "apt-get install age zstd",
    ]);
  });

  test("a dpkg run that was killed is finished first", async () => {
    const mended = machine.path("mended");
    const words =
      "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.";
    machine.recorded("apt-get", `[ -e '${mended}' ] || { echo "${words}" >&2; exit 100; }`);
    machine.recorded("dpkg", `touch '${mended}'`);
    await install();
    expect(machine.ran().map((line) => line.split(" ")[0])).toEqual([
      "apt-get",
      "dpkg",
      "apt-get",
      "apt-get",
    ]);
    expect(machine.ran()[1]).toBe("dpkg --configure -a");
  });

  test.each([
    [1000, "sudo "],
    [0, ""],
  ])("a failure tells user %d what to type by hand", async (user, sudo) => {
    jest.spyOn(process, "getuid").mockReturnValue(user);
    await expect(install()).rejects.toThrow(
      `apt-get is out of order; by hand: ${sudo}apt-get install --no-install-recommends age zstd`,
    );
  });

  test("a user without sudo sees at once what to ask for, and nothing is tried", async () => {
    jest.spyOn(process, "getuid").mockReturnValue(1000);
    const context = machine.bare(NOWHERE);
    rmSync(machine.path("programs/sudo"));
    machine.recorded("apt-get", "");
    await expect(installPackages(["age", "zstd"], context, () => {})).rejects.toThrow(
      "this user is not root and has no sudo; ask who administers this machine to run: " +
        "apt-get update && apt-get install --no-install-recommends age zstd",
    );
    await expect(updateLists(context, () => {})).rejects.toThrow("has no sudo; as root: apt-get update");
    expect([machine.said, machine.ran()]).toEqual([[], []]);
  });

  test("a package that only the demo needs is not asked for by another stack", () => {
    const context = machine.bare(NOWHERE);
    expect(missingPackages({ demo: false }, context)).not.toContain("mmdebstrap");
    expect(missingPackages({ demo: true }, context)).toContain("mmdebstrap");
    machine.program("mmdebstrap", "");
    expect(missingPackages({ demo: true }, context)).not.toContain("mmdebstrap");
  });

  test.each([
    ["yes", "y\n", "installed"],
    ["only Enter", "\n", "installed"],
    ["no", "n\n", DECLINED],
    ["the end of input", "", DECLINED],
  ])("a person who answers with %s", async (_how, answer, expected) => {
    machine.recorded("apt-get", "");
    const { env } = machine.bare(NOWHERE);
    // Sudo may ask too, so it has the terminal: here a pipe.
    const script = `require(${JSON.stringify(join(__dirname, "../../tools/setup/apt.cjs"))})
      .installPackages(["age"], { env: process.env, ask: true, log: () => {} }, () => {})
      .then(() => console.log("installed"), (fault) => console.log(fault.message));`;
    const child = spawn(process.execPath, ["-e", script], { env: { ...env } });
    child.stdin.end(answer);
    expect((await text(child.stdout)).trim()).toEqual(expected);
    expect(machine.ran()).toHaveLength(expected === "installed" ? 2 : 0);
  });
});

describe("programs that check the services' files", () => {
  /** An apt that plans the wanted packages with one library and one that is not wanted, and packages of one file. */
  function withPackages(layout = "usr/sbin") {
    machine.checkerPackages(`'echo %s "$LD_LIBRARY_PATH" "$@"' "$name"`, {
      layout,
      also: ["libone", "extra"],
    });
  }

  test("are unpacked with their libraries, not installed, and run from the cache", async () => {
    withPackages();
    const context = machine.bare(NOWHERE);
    expect(checkersHeld(context)).toBe(false);
    expect(await bringCheckers(context)).toBeUndefined();
    expect(checkersHeld(context)).toBe(true);
    const [, download] = machine.ran().filter((line) => !line.endsWith("update"));
    expect(download).toMatch(/ download dnsmasq-base nginx chrony libone$/);
    expect(machine.ran().filter((line) => / install /.test(line) && !line.includes("--simulate"))).toEqual(
      [],
    );
    const said = await runTool(machine.path("cache/bin/nginx"), ["-t"], context);
    expect(said).toMatch(/^nginx .*checkers\/usr\/lib\/x86_64-linux-gnu:.+ -t$/m);
  });

  test("are the machine's own where it has them", async () => {
    withPackages();
    machine.program("nginx", "");
    const context = machine.bare(NOWHERE);
    await bringCheckers(context);
    expect(readdirSync(machine.path("cache/bin")).sort()).toEqual(["chronyd", "dnsmasq"]);
    machine.program("chronyd", "");
    machine.program("dnsmasq", "");
    await bringCheckers(context);
    expect(checkersHeld(context)).toBe(true);
  });

  test("that the machine got later are not hidden by wrappers of programs that are gone", async () => {
    withPackages();
    const context = machine.bare(NOWHERE);
    await bringCheckers(context);
    machine.program("nginx", "");
    expect(checkersHeld(context)).toBe(false);
    await bringCheckers(context);
    // The tools' PATH begins with the cache.
    expect(existsSync(machine.path("cache/bin/nginx"))).toBe(false);
    expect(statSync(machine.path("cache/bin/dnsmasq")).mode & 0o111).toBe(0o111);
  });

  test.each([
    [
      "apt cannot fetch them",
      () => machine.recorded("apt-get", "echo E: offline >&2; exit 100"),
      "E: offline",
    ],
    ["the packages have no such programs", () => withPackages("usr/games"), "does not start here"],
  ])("where %s, the failure is reported", async (_what, prepare, words) => {
    prepare();
    const context = machine.bare(NOWHERE);
    const failure = await bringCheckers(context);
    expect(failure).toEqual({
      what: "checkers dnsmasq, nginx, chronyd",
      tried: [expect.stringContaining(words)],
    });
    expect(checkersHeld(context)).toBe(false);
  });
});
