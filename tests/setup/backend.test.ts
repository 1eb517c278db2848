import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import execa from "execa";
import { backendLine, toolEnvironment } from "../../tools/setup/environment.cjs";
import { standIns } from "../../tools/setup/stand-ins.cjs";
import { FakeMachine, NOWHERE } from "./fake-machine";

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
});
afterEach(() => machine.remove());

/** A machine whose owner is logged in wherever one can be, and likes options of Pulumi's that others do not. */
function loggedIn() {
  machine.write("home/.pulumi/credentials.json", JSON.stringify({ current: "https://pulumi.example" }));
  const context = machine.context(NOWHERE);
  Object.assign(context.env, {
    PULUMI_BACKEND_URL: "s3://theirs",
    PULUMI_ACCESS_TOKEN: "token",
    PULUMI_CREDENTIALS_PATH: machine.path("home/.pulumi"),
    PULUMI_CONFIG_PASSPHRASE: "theirs",
    PULUMI_CONFIG_PASSPHRASE_FILE: "/theirs",
    PULUMI_OPTION_STACK: "theirs",
  });
  return context;
}
const ownState = () => `file://${machine.path("top/.pulumi-state")}`;
const stackInCheckout = (name: string) =>
  machine.write(`top/.pulumi-state/.pulumi/stacks/bootstrap-pxe/${name}.json`, "{}");

describe("what the demo, tests and bench run Pulumi with", () => {
  test("is the checkout's own, whatever the person is logged in to", () => {
    const env = toolEnvironment(loggedIn(), { standIns: false, own: true });
    expect(env).toMatchObject({
      PULUMI_BACKEND_URL: ownState(),
      PULUMI_HOME: machine.path("top/artifacts/pulumi-home"),
      PULUMI_CONFIG_PASSPHRASE_FILE: machine.path("top/.pulumi-passphrase"),
    });
    const theirs = Object.entries(env).filter(([, value]) => /theirs|token|home\/\.pulumi/.test(value ?? ""));
    expect(theirs).toEqual([]);
  });

  test("has the plugins of the person, and what is fetched goes there", async () => {
    machine.write("top/tools/plugins/versions.json", JSON.stringify({ command: { version: "1.2.1" } }));
    machine.write("home/.pulumi/plugins/resource-command-v1.2.1/plugin", "");
    const context = machine.context(NOWHERE);
    context.env = toolEnvironment(context, { standIns: false, own: true });
    expect(existsSync(machine.path("top/artifacts/pulumi-home/plugins/resource-command-v1.2.1"))).toBe(true);
    expect(await standIns(context)).toEqual([]);
  });

  test("finds the plugins again after their folder was removed, or is another", () => {
    const context = machine.context(NOWHERE);
    const plugins = () => {
      toolEnvironment(context, { standIns: false, own: true });
      return realpathSync(machine.path("top/artifacts/pulumi-home/plugins"));
    };
    expect(plugins()).toBe(machine.path("home/.pulumi/plugins"));
    rmSync(machine.path("home"), { recursive: true });
    expect(plugins()).toBe(machine.path("home/.pulumi/plugins"));
    mkdirSync(machine.path("elsewhere"));
    context.env.PULUMI_HOME = machine.path("elsewhere");
    expect(plugins()).toBe(machine.path("elsewhere/plugins"));
  });

  test("needs no home that can be written", () => {
    const context = machine.context(NOWHERE);
    // A file where the folder would be stands for a home of somebody else's: root may write anywhere.
    machine.write("home", "");
    const env = toolEnvironment(context, { standIns: false, own: true });
    expect(existsSync(String(env.PULUMI_HOME))).toBe(true);
    expect(() => readlinkSync(`${env.PULUMI_HOME}/plugins`)).toThrow();
  });
});

describe("the line about the backend that is used", () => {
  test("is absent where all stacks are in it", () => {
    expect(backendLine(machine.context(NOWHERE))).toBeUndefined();
    stackInCheckout("nuc1");
    machine.write("top/Pulumi.nuc1.yaml", "encryptionsalt: v1:x\nconfig: {}\n");
    // The demo's stack is in the checkout whoever is logged in, and its file names no state.
    stackInCheckout("demo");
    machine.write("top/Pulumi.lab.yaml", "config: {}\n");
    expect(backendLine(machine.context(NOWHERE))).toBeUndefined();
    rmSync(machine.path("top/.pulumi-state/.pulumi/stacks/bootstrap-pxe/nuc1.json"));
    expect(backendLine(loggedIn())).toBeUndefined();
  });

  test("names the stacks of the checkout's own state to someone who is logged in elsewhere", () => {
    for (const name of ["nuc1", "nuc2", "demo"]) stackInCheckout(name);
    machine.write("top/.pulumi-state/.pulumi/stacks/bootstrap-pxe/nuc1.json.bak", "{}");
    const context = loggedIn();
    context.env.PULUMI_BACKEND_URL = "https://user:pass@word@pulumi.example/me";
    const line = backendLine(context);
    expect(line).toContain(
      "Pulumi's state is in https://pulumi.example/me; this checkout's own state has nuc1, nuc2: ",
    );
    expect(line).not.toContain("\n");
    const [, again] = /(PULUMI_BACKEND_URL=.+) before the command/.exec(String(line)) ?? [];
    const { stdout } = execa.sync("sh", ["-c", `${again} sh -c 'echo "$PULUMI_BACKEND_URL"'`]);
    expect(stdout).toBe(ownState());
  });

  test("gives a command that leads to the checkout's own state, with its passphrase", () => {
    const context = machine.context(NOWHERE);
    machine.write("home/.pulumi/credentials.json", JSON.stringify({ current: "https://pulumi.example" }));
    context.env.PULUMI_BACKEND_URL = ownState();
    const env = toolEnvironment(context, { standIns: false });
    expect(readFileSync(String(env.PULUMI_CONFIG_PASSPHRASE_FILE), "utf8").length).toBeGreaterThan(20);
    expect(backendLine(context)).toBeUndefined();
  });

  test("names the stack that is selected, and that the checkout's own state does not know", () => {
    const project = createHash("sha1").update(machine.path("top/Pulumi.yaml")).digest("hex");
    const selected = (stack: string) =>
      machine.write(
        `home/.pulumi/workspaces/bootstrap-pxe-${project}-workspace.json`,
        JSON.stringify({ stack }),
      );
    selected("me/bootstrap-pxe/nuc1");
    expect(backendLine(machine.context(NOWHERE))).toContain("which does not have nuc1: ");
    stackInCheckout("nuc1");
    expect(backendLine(machine.context(NOWHERE))).toBeUndefined();
    selected("me/bootstrap-pxe/demo");
    expect(backendLine(machine.context(NOWHERE))).toBeUndefined();
  });

  test.each(["encryptionsalt: v1:x", "secretsprovider: passphrase", "encryptedkey: x"])(
    "names a stack that was made elsewhere to someone who is logged in nowhere (%s)",
    (mark) => {
      machine.write("top/Pulumi.nuc1.yaml", `${mark}\nconfig: {}\n`);
      const line = backendLine(machine.context(NOWHERE));
      expect(line).toContain(`in ${machine.path("top/.pulumi-state")}, which does not have nuc1: `);
      expect(line).not.toContain("\n");
    },
  );
});
