import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import {
  defaultVersion,
  isOffline,
  offlineOfPulumi,
  versionOfPulumi,
  versionOfStack,
  versionsOfCheckout,
} from "../../tools/setup/talos-versions.cjs";
import { TOP } from "../tools";
import { FakeMachine } from "./fake-machine";

let machine: FakeMachine;
const project = readFileSync(join(TOP, "Pulumi.yaml"), "utf8");
beforeEach(() => {
  machine = new FakeMachine();
  machine.write("top/Pulumi.yaml", project);
});
afterEach(() => machine.remove());

const top = () => machine.path("top");
const stack = (name: string, line: string) =>
  machine.write(`top/Pulumi.${name}.yaml`, `config:\n  bootstrap-pxe:minipcMac: x\n${line}\n  other:a: b\n`);
const DEFAULT = (parse(project) as { config: Record<string, { default: string }> }).config[
  "bootstrap-pxe:talosVersion"
]!.default;

test("the default is that of Pulumi.yaml", () => {
  expect(defaultVersion(top())).toBe(DEFAULT);
});

test.each([
  ["  bootstrap-pxe:talosVersion: v1.13.0", "v1.13.0"],
  ['  bootstrap-pxe:talosVersion: "v1.13.0"', "v1.13.0"],
  ["  bootstrap-pxe:talosVersion: 'v1.13.0'", "v1.13.0"],
  ["  'bootstrap-pxe:talosVersion': v1.14.0-beta.1 # soon", "v1.14.0-beta.1"],
  ["  talosVersion: v1.13.0", "v1.13.0"],
  ["  bootstrap-pxe:config:talosVersion: v1.13.0", "v1.13.0"],
  ["  # bootstrap-pxe:talosVersion: v1.13.0", DEFAULT],
  ["  other:talosVersion: v1.13.0", DEFAULT],
  ["", DEFAULT],
])("a stack's file with %j is for %s", (line, version) => {
  stack("nuc1", line);
  expect(versionOfStack(top(), "nuc1")).toBe(version);
});

test("a checkout's are the default and those of its stacks", () => {
  stack("nuc1", "  bootstrap-pxe:talosVersion: v1.13.0");
  stack("nuc2", "  bootstrap-pxe:talosVersion: v1.9.0");
  expect(versionsOfCheckout(top())).toEqual([DEFAULT, "v1.13.0", "v1.9.0"]);
});

describe("a command of the Pulumi CLI is about the release of", () => {
  const env: NodeJS.ProcessEnv = {};
  beforeEach(() => {
    stack("nuc1", "  bootstrap-pxe:talosVersion: v1.13.0");
    stack("nuc2", "  bootstrap-pxe:talosVersion: v1.9.0");
    machine.write("other.yaml", "config:\n  bootstrap-pxe:talosVersion: v1.10.0\n");
    const named = createHash("sha1").update(join(top(), "Pulumi.yaml")).digest("hex");
    machine.write(
      `home/workspaces/bootstrap-pxe-${named}-workspace.json`,
      '{"stack": "organization/x/nuc2"}',
    );
    Object.assign(env, { PULUMI_HOME: machine.path("home"), PULUMI_STACK: undefined });
  });
  const about = (line: string) => versionOfPulumi(line.split(" "), { env, top: top() });

  test.each([
    ["up --stack nuc1", "the stack that is named", "v1.13.0"],
    ["up -s me/bootstrap-pxe/nuc1", "the stack that is named in full", "v1.13.0"],
    ["up", "the stack that is selected", "v1.9.0"],
    ["up --stack none", "a stack without a file: the default", DEFAULT],
    ["up --stack nuc1 -c bootstrap-pxe:talosVersion=v1.12.0", "its own option", "v1.12.0"],
    ["up --stack nuc1 --config talosVersion=v1.12.0", "its own option", "v1.12.0"],
  ])("%s: %s", (line, _of, version) => {
    expect(about(line)).toBe(version);
  });

  test("the file that --config-file names", () => {
    expect(versionOfPulumi(["up", "--config-file", machine.path("other.yaml")], { env, top: top() })).toBe(
      "v1.10.0",
    );
  });

  test("the stack of PULUMI_STACK", () => {
    env.PULUMI_STACK = "nuc1";
    expect(about("up")).toBe("v1.13.0");
  });
});

test("a stack is offline where its file says so, or the command", () => {
  stack("nuc1", '  bootstrap-pxe:offline: "true"');
  stack("nuc2", '  bootstrap-pxe:offline: "false"');
  expect(["nuc1", "nuc2", "none"].map((name) => isOffline(top(), name))).toEqual([true, false, false]);
  const about = (line: string) => offlineOfPulumi(line.split(" "), { env: {}, top: top() });
  expect(about("up --stack nuc1")).toBe(true);
  expect(about("up --stack nuc2")).toBe(false);
  expect(about("up --stack nuc2 -c bootstrap-pxe:offline=true")).toBe(true);
  expect(about("up --stack nuc1 --config offline=false")).toBe(false);
});
