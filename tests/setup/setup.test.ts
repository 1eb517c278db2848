import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { Readable } from "node:stream";
import { withLock } from "../../tools/setup/lock.cjs";
import { dependenciesHeld } from "../../tools/setup/npm.cjs";
import { inForeground } from "../../tools/setup/pulumi.cjs";
import { OLDEST_NODE, refuseOldNode, setUp } from "../../tools/setup/setup.cjs";
import { context, machine, PROGRAMS, publishAll, sopsPath, TOP, USE, withApt } from "./bare-machine";
import { NOWHERE } from "./fake-machine";

// The folders that are always looked in belong to the real machine, and so do files by their full path.
jest.mock("../../tools/setup/process.cjs", () => ({
  ...jest.requireActual<object>("../../tools/setup/process.cjs"),
  searchPath: ({ PATH = "" }: NodeJS.ProcessEnv) => PATH.split(":"),
}));

test("a machine with nothing gets everything, and a second run does nothing", async () => {
  expect(await setUp(USE, context)).toBe(true);
  expect(readdirSync(machine.path("cache/bin")).sort()).toEqual([
    "packer",
    "pulumi",
    "pulumi-language-nodejs",
    "sops",
    "talos-config-1.11",
    "talosctl-1.11",
  ]);
  expect(readFileSync(machine.path("cache/bin/packer"), "utf8")).toContain("PACKER_PLUGIN_PATH");
  const [download, apt, npm, packer, ...more] = machine.ran().sort();
  expect(download).toMatch(/ --download-only .* age /);
  expect(npm).toMatch(/^npm ci --ignore-scripts /);
  expect(apt).toMatch(/ install .* age /);
  expect(packer).toMatch(/^packer plugins install /);
  expect(more).toEqual([]);

  const before = [machine.ran().length, machine.requests.length, machine.said.length];
  expect(await setUp(USE, context)).toBe(false);
  expect([machine.ran().length, machine.requests.length, machine.said.length]).toEqual(before);
});

test.each([
  ["top", "this checkout", "Move it"],
  ["cache", "set-up's cache", "Let BOOTSTRAP_PXE_CACHE name"],
])(
  "a colon in the path of %s is refused by name, since PATH has no way to write it",
  async (place, what, next) => {
    const path = machine.path("a:b");
    const context = { ...machine.context(NOWHERE), [place]: path };
    await expect(setUp("use", context)).rejects.toThrow(
      new RegExp(`^Programs of ${what} cannot be found: its path ${path} has a colon, .* ${next}`),
    );
  },
);

test("a release that nobody has tried is said to be untried, and set up all the same", async () => {
  const osRelease = machine.write("os-release", 'ID=debian\nVERSION_ID="14"\nPRETTY_NAME="Debian 14"\n');
  expect(await setUp(USE, { ...context, osRelease })).toBe(true);
  expect(machine.said.filter((line) => line.startsWith("Nobody has tried"))).toEqual([
    expect.stringContaining("Debian 14"),
  ]);
});

test("everything that is missing is listed at once, each with what was tried; the rest is kept", async () => {
  machine.publish(sopsPath(), "evil");
  machine.recorded("apt-get", "echo 'E: no room' >&2; exit 100");
  // Without apt no pip comes either.
  machine.program("python3", "exit 1");
  const fault = (await setUp(USE, context).catch((fault: Error) => fault)) as Error;
  const lines = fault.message.split("\n");
  expect(lines[0]).toBe("Set-up could not bring everything. Missing, with what was tried:");
  expect(lines.filter((line) => /^ {2}- /.test(line))).toEqual([
    expect.stringMatching(/system packages .*\bage\b/),
    expect.stringMatching(/sops \d/),
  ]);
  expect(lines.filter((line) => /^ {6}\S/.test(line))).toEqual([
    expect.stringMatching(/apt-get: E: no room; by hand: (sudo )?apt-get install .*\bage\b/),
    expect.stringMatching(/sha256 .*, but .* says /),
    expect.stringMatching(/the wheel of tools\/python\/sops\.txt: E: no room/),
  ]);

  withApt(PROGRAMS);
  publishAll(context.origins.github);
  const before = machine.ran().length;
  expect(await setUp(USE, context)).toBe(true);
  expect(machine.ran().slice(before)).toEqual([
    expect.stringMatching(/^apt-get .* install .*--download-only /),
    expect.stringMatching(/^apt-get .* install /),
  ]);
  expect(await setUp(USE, context)).toBe(false);
});

test.each([
  ["18.20.4", false],
  ["20.5.1", false],
  ["20.6.0", true],
  ["22.1.0", true],
])("Node %s is new enough: %s", (version, isEnough) => {
  const attempt = expect(() => refuseOldNode(version));
  if (isEnough) attempt.not.toThrow();
  else attempt.toThrow(`Node ${OLDEST_NODE} or newer is needed, and this is ${version}`);
});

test("package.json asks for the Node that set-up asks for", () => {
  const { engines } = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8")) as {
    engines: { node: string };
  };
  expect(engines.node).toBe(`>=${OLDEST_NODE}`);
});

test("a user who may not be root is given one list of what to ask for, and nothing else is begun", async () => {
  const user = jest.spyOn(process, "getuid").mockReturnValue(1000);
  rmSync(machine.path("programs/sudo"));
  await expect(setUp("demo", context)).rejects.toThrow(
    /^Nothing was set up: this user is not root and has no sudo; ask .* to run: apt-get update && apt-get install .*xorriso.* && usermod --add-subuids /,
  );
  user.mockRestore();
  expect(machine.said).toEqual([]);
  // It looks for Go and pip, to know what else to ask for.
  expect(machine.ran().filter((line) => !/ (--)?version$/.test(line))).toEqual([]);
});

test("a person who declines the system packages gets nothing by halves", async () => {
  const stdin = jest
    .spyOn(process, "stdin", "get")
    .mockReturnValue(Readable.from(["n\n"]) as typeof process.stdin);
  await expect(setUp("demo", { ...context, ask: true })).rejects.toThrow("installing was declined");
  stdin.mockRestore();
  expect(machine.ran().filter((line) => !/ (--)?version$/.test(line))).toEqual([]);
});

test("where nothing at all can be reached, every part is listed", async () => {
  machine.recorded("npm", "echo 'npm error ENOTFOUND' >&2; exit 1");
  machine.recorded("apt-get", "exit 100");
  rmSync(machine.path("programs/nginx"));
  const origins = { pulumi: NOWHERE, hashicorp: NOWHERE, github: NOWHERE };
  const fault = (await setUp(USE, { ...context, origins }).catch((fault: Error) => fault)) as Error;
  const missing = fault.message.split("\n").filter((line) => /^ {2}- /.test(line));
  expect(missing.map((line) => line.slice(4).split(" ")[0])).toEqual(
    "npm system pulumi packer sops talos-config-1.11 packer-plugin-qemu checkers".split(" "),
  );
  expect(fault.message).toContain(`${NOWHERE} does not answer`);
});

test("a package that lacks the program that is wanted from it does not count as installed", async () => {
  withApt(PROGRAMS.filter((name) => name !== "sqfstar"));
  await expect(setUp(USE, context)).rejects.toThrow(/ - system packages squashfs-tools\n/);
});

test("what a killed run left half-made is removed", async () => {
  machine.write("cache/tmp/xabc/half", "");
  await setUp(USE, context);
  expect(existsSync(machine.path("cache/tmp"))).toBe(false);
});

describe("one set-up at a time", () => {
  let held: ChildProcessWithoutNullStreams;
  afterEach(() => held?.kill("SIGKILL"));
  /** Another process that has the lock. */
  const holder = async () => {
    held = spawn(process.execPath, [
      "-e",
      `require(${JSON.stringify(join(TOP, "tools/setup/lock.cjs"))}).withLock(
        { cache: ${JSON.stringify(machine.path("cache"))}, log: () => {} },
        () => new Promise(() => { setInterval(() => {}, 1e6); console.log("in"); }))`,
    ]);
    await once(held.stdout, "data");
    return held;
  };

  test("a set-up that was killed does not hold up another", async () => {
    const killed = await holder();
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect(await withLock(context, () => Promise.resolve("mine"))).toBe("mine");
    expect(machine.said).toEqual([]);
  });

  test("a set-up that failed does not hold up another", async () => {
    await expect(withLock(context, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await withLock(context, () => Promise.resolve());
    expect(machine.said).toEqual([]);
  });

  test("what the first brought, the second that waited does not bring again", async () => {
    const first = await holder();
    const waits = new Promise<void>((resolve) => {
      context.log = (line) => {
        machine.said.push(line);
        if (line.startsWith("Another set-up")) resolve();
      };
    });
    const second = setUp(USE, context);
    // Did it not wait, its end comes first.
    await Promise.race([waits, second]);
    expect(machine.ran()).toEqual([]);
    mkdirSync(machine.path("top/node_modules"));
    const list = readFileSync(machine.path("top/package-lock.json"), "utf8");
    machine.write("top/node_modules/.package-lock.json", list);
    first.kill("SIGKILL");
    expect(await second).toBe(true);
    expect(machine.ran().filter((line) => line.startsWith("npm"))).toEqual([]);
  });
});

describe("npm's dependencies", () => {
  const held = (installed: string, wanted = { "node_modules/a": { version: "1", integrity: "x" } }) => {
    machine.write("top/package-lock.json", JSON.stringify({ packages: { "": {}, ...wanted } }));
    machine.write("top/node_modules/.package-lock.json", installed);
    return dependenciesHeld(machine.path("top"));
  };
  const one = (of: object) => JSON.stringify({ packages: { "node_modules/a": of } });

  test("are checked by version and by digest", () => {
    expect(held(one({ version: "1", integrity: "x" }))).toBe(true);
    expect(held(one({ version: "1", integrity: "y" }))).toBe(false);
    expect(held(JSON.stringify({ packages: {} }))).toBe(false);
    expect(held(one({ version: "1", integrity: "x" }).slice(0, -3))).toBe(false);
  });

  test("of other platforms may be missing", () => {
    const mac = { version: "1", integrity: "z", optional: true };
    const wanted = { "node_modules/a": { version: "1", integrity: "x" }, "node_modules/mac": mac };
    expect(held(one({ version: "1", integrity: "x" }), wanted)).toBe(true);
  });
});

test.each([
  ["ends with 3", "exit 3", 3],
  ["is ended by a signal", "kill -TERM $$", 143],
])("the status of a command that %s is passed on", async (_how, script, status) => {
  expect(await inForeground("sh", ["-c", script], context.env, machine.folder)).toBe(status);
});

test.each(["--for both", "--forr use", "--talos-version latest", "more"])(
  "set-up refuses %s, with its usage",
  (line) => {
    const env = { ...context.env, BOOTSTRAP_PXE_CACHE: machine.path("cache") };
    const ended = spawnSync(process.execPath, [join(TOP, "commands/setup.mjs"), ...line.split(" ")], {
      env,
      encoding: "utf8",
    });
    expect(ended.status).toBe(1);
    expect(ended.stderr).toContain(
      "npm run setup -- [--yes] [--for use|demo|lint|test|boots] [--talos-version V]",
    );
    expect(existsSync(machine.path("cache"))).toBe(false);
  },
);
