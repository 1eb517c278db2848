import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import execa from "execa";
import { which } from "../../tools/setup/process.cjs";
import { TOP } from "../tools";
import { FakeMachine } from "./fake-machine";

const SCRIPTS = [
  "test",
  "test:boots",
  "lint",
  "demo",
  "setup",
  "pulumi",
  "new",
  "rehearse",
  "node",
  "verify",
  "collect",
  "bench",
  "fleet",
];
const NPM = realpathSync(which("npm", (process.env.PATH ?? "").split(":")) ?? "");
const { scripts } = JSON.parse(readFileSync(join(TOP, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

/** A checkout without dependencies, on a machine that has Node, npm and a shell, and nothing that set-up could use. */
const machine = new FakeMachine();
beforeAll(() => {
  for (const kept of ["commands", "tools", "stack", "steps/frame", "steps/store", "package.json"])
    cpSync(join(TOP, kept), machine.path("top", kept), { recursive: true });
  mkdirSync(machine.path("bin"));
  symlinkSync(process.execPath, machine.path("bin/node"));
  symlinkSync(realpathSync("/bin/sh"), machine.path("bin/sh"));
  machine.write("home/.npmrc", "update-notifier=false\n");
});
afterAll(() => machine.remove());

const start = (program: string, args: string[], env: NodeJS.ProcessEnv = {}) =>
  execa(program, args, {
    cwd: machine.path("top"),
    env: {
      PATH: machine.path("bin"),
      HOME: machine.path("home"),
      BOOTSTRAP_PXE_CACHE: machine.path("cache"),
      npm_config_globalconfig: machine.path("no-npmrc"),
      ...env,
    },
    extendEnv: false,
    reject: false,
    stdin: "ignore",
  });
const node = (script: string, ...args: string[]) =>
  start(process.execPath, [...String(scripts[script]).split(" ").slice(1), ...args]);
const npm = (line: string, env?: NodeJS.ProcessEnv) =>
  // It is a program of its own: here JavaScript, there a shell's.
  start(NPM, ["run", "--silent", ...line.split(" ")], env);

describe.each(SCRIPTS)("npm run %s", (script) => {
  test.each(["--help", "-h"])("%s is its usage, on stdout, before there is any set-up", async (flag) => {
    const { exitCode, stdout, stderr } = await node(script, flag);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^npm run ${script} `));
    expect(existsSync(machine.path("cache"))).toBe(false);
  });
});

test.each([
  ["demo", "--target=x", "Unknown option '--target'"],
  ["demo", "now", "now is not an option of it"],
  ["setup", "--for=all", "--for all is not one of use, demo, lint, test, boots"],
  ["setup", "--talos-version=latest", "--talos-version latest is not of the form v1.11.6"],
  ["new", "", "the new stack's name is missing"],
  ["new", "nuc1 nuc2", "one stack at a time: nuc2 is one too many"],
  ["new", "nuc1 --mca=x", "Unknown option '--mca'"],
  ["rehearse", "--firmware=uefi", "--stack is missing"],
  ["rehearse", "--stack=lab --disk=floppy", "--disk floppy is not one of virtio, virtio-scsi, sata, ide"],
  ["node", "--bootstrap", "--stack is missing"],
  ["node", "nuc1", "nuc1 is not an option of it"],
  ["node", "--stack=nuc1 --timeout=0", "--timeout 0 is not a number of minutes above 0"],
  ["node", "--stack=nuc1 --timeout=soon", "--timeout soon is not a number of minutes above 0"],
  ["node", "--stack=nuc1 --address=10.0.0.1/24", "--address 10.0.0.1/24 is neither an address nor a name"],
  ["verify", "", "0 files are named, not one"],
  ["collect", "one.raw two.raw", "2 disks are named, not one"],
  ["collect", "one.raw --to=", "--to is empty"],
  ["bench", "--parts=a,z", "no part z"],
  ["bench", "--runs=0", "--runs 0 is not a count from 1 to 99"],
  ["fleet", "pu nuc1", "pu is not one of up, preview, destroy"],
  ["fleet", "up nuc1 demo", "demo is the stack of npm run demo"],
  ["fleet", "up --all nuc1", "--all and names of stacks exclude each other"],
])("npm run %s -- %s is refused with the usage, before any set-up", async (script, line, fault) => {
  const { exitCode, stdout, stderr } = await node(script, ...line.split(" ").filter(Boolean));
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toContain(`${script}: ${fault}. Right:\nnpm run ${script} `);
  expect(existsSync(machine.path("cache"))).toBe(false);
});

describe("an option that npm keeps for itself", () => {
  test.each([
    [
      "pulumi config set a 1,2 --stack=t2",
      "npm took --stack=t2 ",
      "npm run pulumi -- config set a 1,2 --stack=t2",
    ],
    ["pulumi --stack=t2 -- up", "npm took --stack=t2 ", "npm run pulumi -- up --stack=t2"],
    [
      "pulumi destroy --stack=t2 --yes",
      "npm took --yes and --stack=t2 ",
      "npm run pulumi -- destroy --yes --stack=t2",
    ],
    ["pulumi up --stack t2", "npm took --stack ", "npm run pulumi -- … --stack …"],
    ["pulumi up --yes", "npm took --yes ", "npm run pulumi -- up --yes"],
    ["pulumi up --no-refresh", "npm took --no-refresh ", "npm run pulumi -- up --no-refresh"],
    ["demo --yes", "npm took --yes ", "npm run demo -- --yes"],
    ["new nuc1 --disk=x --ip=y", "npm took --disk=x and --ip=y ", "npm run new -- nuc1 --disk=x --ip=y"],
    ["setup --for=use", "npm took --for=use ", "npm run setup -- --for=use"],
    [
      "rehearse --stack=lab --minipc-nic=e1000e",
      "npm took --stack=lab and --minipc-nic=e1000e ",
      "npm run rehearse -- ",
    ],
    ["verify --stack=lab s3://b/f", "npm took --stack=lab ", "npm run verify -- s3://b/f --stack=lab"],
    ["bench --parts=a", "npm took --parts=a ", "npm run bench -- --parts=a"],
    [
      "fleet up --all --at-once=2",
      "npm took --all and --at-once=2 ",
      "npm run fleet -- up --all --at-once=2",
    ],
  ])("npm run %s is refused, with the right command", async (line, taken, right) => {
    const { exitCode, stderr } = await npm(line);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(taken);
    expect(stderr).toContain(right);
    expect(existsSync(machine.path("cache"))).toBe(false);
  });

  test.each([
    ["stands after the --", "setup -- --yes --for=all", {}],
    ["comes from the environment", "setup -- --for=all", { npm_config_yes: "true", npm_config_for: "use" }],
  ])("is none that %s", async (_where, line, env) => {
    expect((await npm(line, env)).stderr).toContain("--for all is not one of use, demo, lint, test");
  });

  test("is not one that a config file of npm sets, but its opposite is", async () => {
    machine.write("rc/.npmrc", "yes = true\nstack=lab\nupdate-notifier=false\n");
    const env = { HOME: machine.path("rc") };
    expect((await npm("setup -- --for=all", env)).stderr).toContain(
      "--for all is not one of use, demo, lint, test",
    );
    expect((await npm("pulumi up --stack=t2", env)).stderr).toContain("npm took --stack=t2 for");
    expect((await npm("setup --no-yes", env)).stderr).toContain("npm took --no-yes for");
  });
});
