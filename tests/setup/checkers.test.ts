import { existsSync, rmSync } from "node:fs";
import { REGISTRY_GROUP, bringCheckers, checkersHeld } from "../../tools/setup/checkers.cjs";
import { runTool } from "../../tools/setup/process.cjs";
import { FakeMachine, NOWHERE } from "./fake-machine";

let machine: FakeMachine;
beforeEach(() => {
  machine = new FakeMachine();
});
afterEach(() => machine.remove());

describe("the checkers of the services' files", () => {
  /** Packages of a checker each; one starts only while its library is there. */
  function withPackages(): void {
    machine.checkerPackages(`'[ -e "%s" ]' '${machine.path("library")}'`);
    machine.write("library", "");
  }
  const bare = () => machine.bare(NOWHERE, { osRelease: machine.path("upgraded") });
  const debian = (version: string) => machine.write("upgraded", `ID=debian\nVERSION_ID="${version}"\n`);
  const downloads = () => machine.ran().filter((line) => line.includes(" download ")).length;

  beforeEach(async () => {
    withPackages();
    debian("12");
    expect(await bringCheckers(bare())).toBeUndefined();
    expect(checkersHeld(bare())).toBe(true);
  });

  test("are brought again after an upgrade of the distribution", async () => {
    debian("13");
    expect(checkersHeld(bare())).toBe(false);
    expect(await bringCheckers(bare())).toBeUndefined();
    expect(checkersHeld(bare())).toBe(true);
    expect(downloads()).toBe(2);
  });

  test("are brought again when one cannot start", async () => {
    rmSync(machine.path("library"));
    expect(checkersHeld(bare())).toBe(false);
    const failure = await bringCheckers(bare());
    expect(failure?.tried).toEqual([expect.stringMatching(/dnsmasq, nginx, chronyd .*does not start here/)]);
    machine.write("library", "");
    expect(await bringCheckers(bare())).toBeUndefined();
    expect(checkersHeld(bare())).toBe(true);
  });

  test("take the place of the machine's own that cannot start", async () => {
    machine.program("nginx", "exit 127");
    expect(checkersHeld(bare())).toBe(true);
    await expect(runTool(machine.path("cache/bin/nginx"), ["-v"], bare())).resolves.toBe("");
  });

  test("are removed once the machine has its own, and nothing is fetched for that", async () => {
    for (const name of ["dnsmasq", "nginx", "chronyd"]) machine.program(name, "");
    expect(checkersHeld(bare())).toBe(false);
    expect(await bringCheckers(bare())).toBeUndefined();
    expect(checkersHeld(bare())).toBe(true);
    expect(existsSync(machine.path("cache/bin/nginx"))).toBe(false);
    expect(downloads()).toBe(1);
  });
});

test("an offline stack's registry is unpacked beside the checkers, and nothing of theirs changes", async () => {
  machine.checkerPackages("exit 0");
  machine.write("upgraded", 'ID=debian\nVERSION_ID="12"\n');
  const bare = () => machine.bare(NOWHERE, { osRelease: machine.path("upgraded") });
  expect(await bringCheckers(bare())).toBeUndefined();
  expect(checkersHeld(bare(), REGISTRY_GROUP)).toBe(false);
  expect(await bringCheckers(bare(), REGISTRY_GROUP)).toBeUndefined();
  expect(checkersHeld(bare(), REGISTRY_GROUP)).toBe(true);
  expect(checkersHeld(bare())).toBe(true);
  expect(machine.ran().some((line) => /install docker-registry$/.test(line))).toBe(true);
});
