import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import execa from "execa";
import { toolEnvironment } from "../../tools/setup/environment.cjs";
import { missingLine } from "../../tools/preflight.cjs";
import { withLock } from "../../tools/setup/lock.cjs";
import { dependenciesHeld } from "../../tools/setup/npm.cjs";
import { endOrphans } from "../../tools/setup/orphans.cjs";
import { stacksWithFolders, withoutFolders } from "../../tools/setup/carried-states.cjs";
import { clearAfterKilledRuns } from "../../tools/setup/killed-runs.cjs";
import { dropDemoSalt, ownTmpdir } from "../../tools/setup/pulumi.cjs";
import { linesAfter } from "../../tools/setup/stack-commands.cjs";
import { announceStandIns } from "../../tools/setup/stand-ins.cjs";
import { TOP } from "../tools";
import { FakeMachine, NOWHERE } from "./fake-machine";

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
});
afterEach(() => machine.remove());

describe("the environment for Pulumi", () => {
  test("state and a passphrase of its own, in the checkout", () => {
    const env = toolEnvironment(machine.context(NOWHERE), { standIns: false });
    expect(env.PULUMI_BACKEND_URL).toBe(`file://${machine.path("top/.pulumi-state")}`);
    const passphrase = env.PULUMI_CONFIG_PASSPHRASE_FILE as string;
    expect((statSync(passphrase).mode & 0o777).toString(8)).toBe("600");
    const first = readFileSync(passphrase, "utf8");
    expect(first.length).toBeGreaterThan(20);
    toolEnvironment(machine.context(NOWHERE), { standIns: false });
    expect(readFileSync(passphrase, "utf8")).toBe(first);
  });

  test("a backend that is logged in is left alone", () => {
    const context = machine.context(NOWHERE);
    machine.write("home/.pulumi/credentials.json", JSON.stringify({ current: "https://pulumi.example" }));
    const env = toolEnvironment(context, { standIns: false });
    expect(env.PULUMI_BACKEND_URL).toBeUndefined();
    expect(existsSync(machine.path("top/.pulumi-passphrase"))).toBe(false);
  });
});

describe("plugins", () => {
  const versions = JSON.stringify({ command: { version: "1.2.1" } });

  test("stand-ins serve where Pulumi's server does not answer, and say so in one line", async () => {
    machine.write("top/tools/plugins/versions.json", versions);
    expect(await announceStandIns(machine.context(NOWHERE))).toBe(true);
    expect(machine.said).toEqual([expect.stringMatching(/^Stand-ins serve for Pulumi's plugins command: /)]);
  });

  test("no stand-ins are used where it answers", async () => {
    machine.write("top/tools/plugins/versions.json", versions);
    expect(await announceStandIns(machine.context(await machine.start()))).toBe(false);
    expect(machine.said).toEqual([]);
  });

  test.each([
    ["on PATH", () => machine.program("pulumi-resource-command", "")],
    ["kept by Pulumi", () => machine.write("home/.pulumi/plugins/resource-command-v1.2.1/plugin", "")],
  ])("no stand-in is used where the real plugin is %s", async (_where, put) => {
    machine.write("top/tools/plugins/versions.json", versions);
    put();
    expect(await announceStandIns(machine.context(NOWHERE))).toBe(false);
  });
});

describe("what killed runs leave", () => {
  const lockFile = (content: object, name = "1.json") =>
    machine.write(`top/.pulumi-state/.pulumi/locks/organization/p/s/${name}`, JSON.stringify(content));
  const UNNAMED = "1.json.18eb6e822cbe2340.tmp";
  const drop = () =>
    clearAfterKilledRuns({ PULUMI_BACKEND_URL: `file://${machine.path("top/.pulumi-state")}` }, (line) =>
      machine.said.push(line),
    );
  // Above Linux's largest pid.
  const DEAD = 2 ** 22 + 1;

  test.each(["1.json", UNNAMED])("the lock %s, whose maker is gone, is removed, and that is said", (name) => {
    const lock = lockFile({ pid: DEAD, hostname: hostname(), timestamp: "today" }, name);
    drop();
    expect(existsSync(lock)).toBe(false);
    expect(machine.said).toEqual([expect.stringContaining("its lock is removed")]);
  });

  test("a lock of another machine stays", () => {
    const lock = lockFile({ pid: DEAD, hostname: `not-${hostname()}`, timestamp: "today" });
    drop();
    expect(existsSync(lock)).toBe(true);
  });

  test.each(["", '{"pid":'])(
    "a lock of which only %j was written stays, for Pulumi to explain",
    (written) => {
      const lock = lockFile({});
      writeFileSync(lock, written);
      drop();
      expect(existsSync(lock)).toBe(true);
      expect(machine.said).toEqual([]);
    },
  );

  test("a lock that its maker did not finish is removed, but not while the maker writes it", () => {
    const lock = lockFile({}, UNNAMED);
    writeFileSync(lock, "");
    const written = openSync(lock, "w");
    drop();
    expect(existsSync(lock)).toBe(true);
    closeSync(written);
    drop();
    expect(existsSync(lock)).toBe(false);
    expect(machine.said).toEqual([expect.stringContaining("was killed while it wrote its lock")]);
  });

  const stateFile = (name: string, content: string) =>
    machine.write(`top/.pulumi-state/.pulumi/${name}`, content);

  test.each([
    ["stacks/p/s.json.attrs", ""],
    ["stacks/p/s.json.attrs", '{"user.content_type":"te'],
    ["meta.yaml.attrs", ""],
    ["history/p/s/s-1.history.json.attrs", ""],
  ])("the attributes %s, of which only %j was written, are removed, and that is said", (name, written) => {
    const attributes = stateFile(name, written);
    drop();
    expect(existsSync(attributes)).toBe(false);
    expect(machine.said).toEqual([expect.stringContaining("the state itself is whole")]);
  });

  test("attributes that are whole, or being written, stay", () => {
    const whole = stateFile("stacks/p/s.json.attrs", '{"user.content_type":"text/plain"}\n');
    const half = stateFile("stacks/p/t.json.attrs", "");
    const written = openSync(half, "w");
    drop();
    closeSync(written);
    expect([whole, half].map((path) => existsSync(path))).toEqual([true, true]);
    expect(machine.said).toEqual([]);
  });

  test.each([
    ['{"version":3}', /^The state of the stack s is not whole.* cp '.*s\.json\.bak' '.*s\.json'$/],
    ["", /^The state of the stack s is not whole.* older ones are in the folder backups/],
  ])(
    "a state that a power cut emptied, with a backup of %j: what to do is said, and nothing is changed",
    (backup, line) => {
      const state = stateFile("stacks/p/s.json", "");
      stateFile("stacks/p/s.json.bak", backup);
      drop();
      expect(machine.said).toEqual([expect.stringMatching(line)]);
      expect(readFileSync(state, "utf8")).toBe("");
    },
  );

  test("a lock of a run that lives stays", async () => {
    // The name of a process is that of its program's file.
    const pulumi = machine.path("pulumi");
    writeFileSync(pulumi, readFileSync("/bin/sleep"), { mode: 0o755 });
    const child = spawn(pulumi, ["60"]);
    try {
      await new Promise((resolve) => child.once("spawn", resolve));
      const lock = lockFile({ pid: child.pid, hostname: hostname(), timestamp: "today" });
      drop();
      expect(existsSync(lock)).toBe(true);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("the temporary folder of a run is its own, and that of a dead run goes", () => {
    const pids = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0];
    machine.write(`top/artifacts/bootstrap-pxe-tmp-${pids}-${DEAD}-abc/pulumi-asset-1`, "secret");
    const living = `bootstrap-pxe-tmp-${pids}-${process.ppid}-abc`;
    machine.write(`top/artifacts/${living}/pulumi-asset-1`, "secret");
    const { TMPDIR } = ownTmpdir(machine.context(NOWHERE));
    expect((statSync(TMPDIR).mode & 0o777).toString(8)).toBe("700");
    expect(readdirSync(machine.path("top/artifacts")).sort()).toEqual([living, basename(TMPDIR)].sort());
  });

  test("a process of a run that is gone is ended; one of a run that lives, or of a container, is not", async () => {
    const marked = (mark: string) =>
      spawn("sleep", ["60"], { env: { ...process.env, BOOTSTRAP_PXE_RUN: mark } });
    const here = readlinkSync("/proc/self/ns/pid");
    const stat = readFileSync(`/proc/${process.ppid}/stat`, "utf8");
    const living = `${process.ppid}@${stat.replace(/^.*\) /s, "").split(" ")[19]}`;
    const orphan = marked(`${DEAD}@1 ${here}`);
    const [child, contained] = [marked(`${living} ${here}`), marked(`${DEAD}@1 pid:[1]`)];
    try {
      const [ended, ...spared] = [orphan, child, contained].map(
        (process) => new Promise((resolve) => process.once("exit", (_code, signal) => resolve(signal))),
      );
      // Never the whole machine: what others' killed runs left is not a test's to end.
      endOrphans({ among: [orphan, child, contained].map(({ pid }) => String(pid)) });
      expect(await ended).toBe("SIGTERM");
      // Of two signals the first is what a process ends by.
      for (const process of [child, contained]) process.kill("SIGKILL");
      expect(await Promise.all(spared)).toEqual(["SIGKILL", "SIGKILL"]);
    } finally {
      for (const process of [child, contained, orphan]) process.kill("SIGKILL");
    }
  });
});

test.each(["demo", "lab"])(
  "the salt of the committed stack %s goes, unless its file holds secrets",
  (stack) => {
    const name = `Pulumi.${stack}.yaml`;
    const path = machine.write(name, "config:\n  a:b: c\nencryptionsalt: v1:x\n");
    dropDemoSalt(machine.folder);
    expect(readFileSync(path, "utf8")).toBe("config:\n  a:b: c\n");
    for (const entry of ["secure: v1:y", "- secure: v1:y"]) {
      const secret = `config:\n  a:b:\n    ${entry}\nencryptionsalt: v1:x\n`;
      machine.write(name, secret);
      dropDemoSalt(machine.folder);
      expect(readFileSync(path, "utf8")).toBe(secret);
    }
  },
);

test("a state that names a folder for its steps is found, and loses it; nothing else of it changes", () => {
  const resources = (dir?: string) => [
    { type: "command:local:Command", urn: "a", inputs: { create: "x", dir }, outputs: { stdout: "{}", dir } },
    { type: "aws:s3/bucketObjectv2:BucketObjectv2", urn: "b", inputs: { key: "k" } },
  ];
  const state = (dir?: string) => ({ version: 3, deployment: { manifest: {}, resources: resources(dir) } });
  const clean = JSON.parse(JSON.stringify(state())) as unknown;
  expect(JSON.parse(JSON.stringify(withoutFolders(state("/srv/other"))))).toEqual(clean);
  const folder = "state/.pulumi/stacks/bootstrap-pxe";
  machine.write(`${folder}/old.json`, JSON.stringify({ checkpoint: state("/srv/other") }));
  machine.write(`${folder}/new.json`, JSON.stringify({ checkpoint: state() }));
  const env = { PULUMI_BACKEND_URL: `file://${machine.path("state")}` };
  expect(stacksWithFolders(env)).toEqual(["old"]);
  expect(stacksWithFolders({ PULUMI_BACKEND_URL: "s3://bucket" })).toEqual([]);
});

describe("a command that changes a stack as a whole", () => {
  const after = (...args: string[]) =>
    linesAfter(args, {
      top: machine.path("top"),
      selected: "nuc1",
      passphraseFile: "/top/.pulumi-passphrase",
    });

  test("of a stack that was removed, the images that are still there are named", () => {
    const folder = "top/artifacts/bootstrap";
    for (const [name, owner] of Object.entries({ nuc1: "nuc1", nuc2: "nuc2", gone: "nuc1" }))
      machine.write(`${folder}/v1/.${name}.raw.owner`, `${owner}\n`);
    for (const name of ["nuc1", "nuc2"]) machine.write(`${folder}/v1/${name}.raw`, "");
    const told = [
      expect.stringContaining("Of the stack nuc1 there is still artifacts/bootstrap/v1/nuc1.raw, which"),
    ];
    expect(after("stack", "rm", "nuc1", "--force")).toEqual(told);
    expect(after("stack", "rm", "--force", "--yes", "--stack", "organization/bootstrap-pxe/nuc1")).toEqual(
      told,
    );
    expect(after("stack", "rm", "--yes", "--force")).toEqual(told);
    expect(after("stack", "rm", "nuc3")).toEqual([]);
    expect(after("up", "--stack", "nuc1")).toEqual([]);
  });

  test("what a new name and a new passphrase mean is said", () => {
    expect(after("stack", "rename", "nuc7", "--stack", "nuc1")).toEqual([
      expect.stringContaining("The next up runs each step once more"),
    ]);
    expect(after("stack", "change-secrets-provider", "passphrase")).toEqual([
      expect.stringMatching(
        /set PULUMI_CONFIG_PASSPHRASE .* since \/top\/\.pulumi-passphrase has the old one/,
      ),
    ]);
    expect(after("stack", "change-secrets-provider", "awskms://alias/x")).toEqual([]);
  });

  test("a new passphrase that nobody can give is refused", () => {
    const program =
      'process.stdout.write(String(require("./tools/setup/stack-commands.cjs").refusalOf(process.argv.slice(1))))';
    const asked = (stdin: "ignore" | "pipe", ...args: string[]) =>
      execa.sync("node", ["-e", program, "--", "stack", "change-secrets-provider", ...args], {
        cwd: TOP,
        stdin,
      }).stdout;
    expect(asked("ignore", "passphrase")).toContain("the new one is read from a terminal or a pipe");
    expect(asked("pipe", "passphrase")).toBe("undefined");
    expect(asked("ignore", "awskms://alias/x")).toBe("undefined");
  });
});

test("missing tools are named in one line, with what brings them", () => {
  const env = { PATH: machine.path("programs"), BOOTSTRAP_PXE_CACHE: machine.path("cache") };
  expect(missingLine("", env)).toMatch(/^missing: pulumi, .*sops.*; run `npm run setup`$/);
});

test("an npm install that was killed is noticed", () => {
  const lock = { packages: { "": {}, "node_modules/a": { version: "1.0.0", integrity: "x" } } };
  machine.write("top/package-lock.json", JSON.stringify(lock));
  expect(dependenciesHeld(machine.path("top"))).toBe(false);
  machine.write("top/node_modules/.package-lock.json", JSON.stringify(lock));
  expect(dependenciesHeld(machine.path("top"))).toBe(true);
  lock.packages["node_modules/a"].version = "1.0.1";
  machine.write("top/package-lock.json", JSON.stringify(lock));
  expect(dependenciesHeld(machine.path("top"))).toBe(false);
});

test("one set-up at a time: the second waits for the first, and says so", async () => {
  const context = { cache: machine.path("cache"), log: (line: string) => void machine.said.push(line) };
  mkdirSync(context.cache);
  const order: string[] = [];
  let free = () => {};
  const first = withLock(context, async () => {
    await new Promise<void>((resolve) => (free = resolve));
    order.push("first");
  });
  // Another process holds its own description of the file, as a second set-up would.
  const script = `require(${JSON.stringify(join(__dirname, "../../tools/setup/lock.cjs"))}).withLock(
    { cache: ${JSON.stringify(context.cache)}, log: (line) => console.log(line) }, async () => console.log("in"))`;
  const second = spawn("node", ["-e", script]);
  const heard = new Promise<void>((resolve) => {
    second.stdout.on("data", (chunk: Buffer) => {
      for (const line of chunk.toString().trim().split("\n")) order.push(line);
      if (order.some((line) => line.startsWith("Another set-up"))) free();
    });
    second.once("close", () => {
      free();
      resolve();
    });
  });
  await Promise.all([first, heard]);
  expect(order).toEqual(["Another set-up is at work; waiting for it.", "first", "in"]);
});
